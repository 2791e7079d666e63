// Innermost vector loops, compiled for several instruction sets and chosen at run time. Rows are contiguous unless a
// stride says otherwise; `accumulate` != 0 adds to what the output holds. All return the same bits for the same input on
// one machine, whichever thread calls.
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
#include <stdint.h>
#include "Variants.h"

/// What a thread does between two looks at something that another will change: some tens of cycles of nothing, which leave the
/// core to its neighbours.
static inline void pmae_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

/// Matrix products for one instruction set. b is packed in panels of `panel` columns, each [inner][panel] with zeros after
/// the last column; a is read where it lies.
typedef struct {
  const char *name;
  size_t panel;
  /// Packs b [inner x columns]: element (p, j) lies at b[p * step + j * column], and one of step and column is 1.
  /// packed holds inner * columns values, columns rounded up to panels.
  void (*pack)(size_t columns, size_t inner, const float *b, size_t step, size_t column, float *packed);
  /// c [rows x columns], a row every `stride` values, (+)= a b; a's element (i, p) lies at a[i * row + p * step].
  /// A value of c is summed in the same order whatever rows and columns are computed with it.
  void (*multiply)(size_t rows, size_t columns, size_t inner, const float *a, size_t row, size_t step,
                   const float *packed, float *c, size_t stride, int accumulate);
} pmae_multiplier;
/// Those that this machine can run, the fastest at place 0; NULL after the last.
const pmae_multiplier *pmae_multipliers(size_t place);
/// The one for bfloat16, NULL where the machine cannot run it or oneDNN is faster: `inner` counts pairs of products, and 32 bits of
/// a and b are two bfloat16 values, the first in the lower half.
const pmae_multiplier *pmae_pair_multiplier(void);
/// Pairs of rows of x, in panels: packed[j / panel * spacing + r / 2 * panel + j % panel] = x[r, j] and x[r + 1, j]. What is missing,
/// a row or columns of the last panel, is zero.
void pmae_pack_pairs(const uint16_t *x, size_t stride, size_t rows, size_t columns, size_t panel, size_t spacing, float *packed);

/// y[i] = exp(x[i]); within 1.1 ULP; below -103.97 zero, above 88.72 infinity, NaN stays.
void pmae_exp(const float *x, float *y, size_t n);
// A tile of a matrix product, [rows x columns] every tile_stride values, goes into rows of y, z, h or d every stride; the
// kernels whose names end in _bf16 store bfloat16's bits.
/// y = tile + bias; no bias where it is NULL.
void pmae_biased(const float *tile, size_t tile_stride, const float *bias, float *y, size_t stride, size_t rows, size_t columns);
void pmae_biased_bf16(const float *tile, size_t tile_stride, const float *bias, uint16_t *y, size_t stride, size_t rows, size_t columns);
/// z = tile + bias, where z is not NULL, and h = GELU(tile + bias), x Phi(x) (exact, not the tanh form), within 6 ULP; NaN
/// stays, infinity stays, minus infinity gives -0.
void pmae_bias_gelu(const float *tile, size_t tile_stride, const float *bias, float *z, float *h, size_t stride, size_t rows, size_t columns);
void pmae_bias_gelu_bf16(const float *tile, size_t tile_stride, const float *bias, uint16_t *z, uint16_t *h, size_t stride, size_t rows, size_t columns);
/// d = tile * GELU'(z), then z = GELU(z); the slope within 5 ULP outside [-2, 0] and 2e-7 inside, where it crosses zero.
void pmae_gelu_backward(const float *tile, size_t tile_stride, float *z, float *d, size_t stride, size_t rows, size_t columns);
void pmae_gelu_backward_bf16(const float *tile, size_t tile_stride, uint16_t *z, uint16_t *d, size_t stride, size_t rows, size_t columns);
/// y[c] (+)= the sum over rows of x[r, c].
void pmae_column_sums(const float *x, float *y, size_t rows, size_t columns, size_t stride, int accumulate);
void pmae_column_sums_bf16(const uint16_t *x, float *y, size_t rows, size_t columns, size_t stride, int accumulate);
/// y = a x + y.
void pmae_axpy(float a, const float *x, float *y, size_t n);
/// y = a x + b y; b = 0 does not read y.
void pmae_axpby(float a, const float *x, float b, float *y, size_t n);
/// y = x + a b.
void pmae_add_scaled(const float *x, float a, const float *b, float *y, size_t n);
/// y = x + a (b + bias); no bias where it is NULL.
void pmae_add_biased(const float *x, float a, const float *b, const float *bias, float *y, size_t n);
/// y = x + a b c; zero for x where it is NULL.
void pmae_add_product(const float *x, float a, const float *b, const float *c, float *y, size_t n);
/// The sum of x[i] y[i] in double precision.
double pmae_dot(const float *x, const float *y, size_t n);

/// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta for one row; leaves mean and 1 / sqrt(...) in statistics[0..1].
void pmae_layer_norm(const float *x, const float *gamma, const float *beta, float *y, size_t n, float epsilon, float *statistics);
void pmae_layer_norm_bf16(const float *x, const float *gamma, const float *beta, uint16_t *y, size_t n, float epsilon, float *statistics);
/// dx (+)= the gradient for one row.
void pmae_layer_norm_backward(const float *x, const float *gamma, const float *dy, float *dx, size_t n, const float *statistics, int accumulate);
/// dgamma (+)= sum over rows of dy * xhat, dbeta (+)= sum of dy, for columns [0, columns) of rows of the given strides.
/// row_of, where not NULL, says which row of x belongs to row r of dy.
void pmae_layer_norm_parameters(const float *x, const int32_t *row_of, const float *dy, const float *statistics, float *dgamma, float *dbeta, size_t rows, size_t columns, size_t x_stride, size_t dy_stride, int accumulate);
/// One row to zero mean and unit variance; unbiased != 0 divides by n - 1.
void pmae_standardise(const float *x, float *y, size_t n, float epsilon, int unbiased);

/// x = softmax(scale * x), scale > 0, for rows of n values with room for whole vectors of 16 after each: the stride is at
/// least n rounded up to that, and what lies between is overwritten. Shares below 2^-126 of the largest are zero.
/// Where inverse is not NULL, rows are left unscaled, the largest value 1, and inverse[r] is what to multiply them by.
void pmae_softmax_rows(float *x, size_t rows, size_t n, size_t stride, float scale, float *inverse);
/// The same, with a copy in bfloat16 of what it leaves in x, rows the same stride apart.
void pmae_softmax_rows_bf16(float *x, size_t rows, size_t n, size_t stride, float scale, float *inverse, uint16_t *rounded);
/// x[r] *= factors[r] for rows of n values.
void pmae_scale_rows(float *x, size_t rows, size_t n, size_t stride, const float *factors);
/// One head's attention over at most 80 tokens of a depth that is a multiple of 16: y = softmax(scale q kᵀ) v, for q, k, v
/// [tokens][depth] whose rows are `stride` apart. scratch: depth + 2 tokens values for each
/// token, and for as many more as make them a multiple of 16.
void pmae_attend_short(const float *q, const float *k, const float *v, size_t stride, size_t tokens, size_t depth, float scale, float *y, size_t y_stride, float *scratch);
/// Its gradients: dq, dk, dv (+)= ... for the gradient dy of y; the same scratch.
void pmae_attend_short_backward(const float *q, const float *k, const float *v, size_t stride, const float *dy, size_t dy_stride, size_t tokens, size_t depth, float scale, float *dq, float *dk, float *dv, size_t d_stride, int accumulate, float *scratch);
/// The same of bfloat16, y and the gradients rounded to it; sums, scores and their softmax are float32, and shares are rounded. Where
/// pmae_pair_multiplier has kernels. Strides are even. scratch, with a row of `lanes` values, the tokens and what makes them a multiple
/// of 16: lanes (depth / 2 + 3 tokens + 1) + depth (2 tokens + 1) values.
void pmae_attend_pairs(const uint16_t *q, const uint16_t *k, const uint16_t *v, size_t stride, size_t tokens, size_t depth, float scale, uint16_t *y, size_t y_stride, float *scratch);
void pmae_attend_pairs_backward(const uint16_t *q, const uint16_t *k, const uint16_t *v, size_t stride, const uint16_t *dy, size_t dy_stride, size_t tokens, size_t depth, float scale, uint16_t *dq, uint16_t *dk, uint16_t *dv, size_t d_stride, float *scratch);
/// d = scale * p * (d - sum(p d)) for one row, in place.
void pmae_softmax_backward(const float *p, float *d, size_t n, float scale);
/// ds = scale * p * (d - sum(p d)) for one row, in bfloat16.
void pmae_softmax_backward_bf16(const float *p, const float *d, uint16_t *ds, size_t n, float scale);
/// Returns -sum label * log_softmax(scale * x); leaves the row's maximum of x, one over the sum of
/// exp(scale * (x - maximum)), and sum(label) in statistics[0..2].
double pmae_soft_cross_entropy(const float *x, const float *label, size_t n, float scale, float *statistics);
/// x = weight * (sum(label) * softmax(scale * x) - label), in place: the gradient for the logits.
void pmae_soft_cross_entropy_backward(float *x, const float *label, size_t n, float scale, float weight, const float *statistics);
/// Returns -log_softmax(scale * x)[label]; leaves the row's maximum of x and one over the sum of exp(scale * (x - maximum)) in
/// statistics[0..1].
double pmae_cross_entropy(const float *x, size_t label, size_t n, float scale, float *statistics);
/// x = weight * (softmax(scale * x) - the label's one), in place: the gradient for the logits.
void pmae_cross_entropy_backward(float *x, size_t label, size_t n, float scale, float weight, const float *statistics);
/// Returns the sum of log(1 + exp(x)) - target x.
double pmae_binary_cross_entropy(const float *x, const float *target, size_t n);
/// x = weight * (1 / (1 + exp(-x)) - target), in place: the gradient for the logits.
void pmae_binary_cross_entropy_backward(float *x, const float *target, size_t n, float weight);
/// Returns the sum of |x - target|; leaves the signs of x - target, 1, 0 or -1.
double pmae_absolute_error(const float *x, const float *target, float *sign, size_t n);
/// Of at most 64 columns: sums = their sums over the rows, or where there is a mean the sums of (x - mean)^2.
void pmae_batch_sums(const float *x, size_t stride, size_t rows, size_t columns, const float *mean, double *sums);
/// y = (x - mean) / sqrt(variance + epsilon) for each column, times gamma plus beta (1 and 0 where NULL); what is below 0 becomes 0
/// where rectify != 0.
void pmae_batch_norm(const float *x, size_t stride, size_t rows, size_t columns, const float *gamma, const float *beta, float epsilon, int rectify, const float *mean, const float *variance, float *y, size_t y_stride);
/// For the gradients of the same: the sums over the rows of dy (sums) and of dy (x - mean) / sqrt(variance + epsilon) (products), which
/// are the gradients of beta and gamma.
void pmae_batch_norm_sums_backward(const float *x, size_t stride, size_t rows, size_t columns, const float *gamma, const float *beta, float epsilon, int rectify, const float *mean, const float *variance, const float *dy, size_t dy_stride, double *sums, double *products);
/// dx (+)= the gradient of the same, by the sums over all rows that mean and variance are of, count of them.
void pmae_batch_norm_backward(const float *x, size_t stride, size_t rows, size_t columns, const float *gamma, const float *beta, float epsilon, int rectify, const float *mean, const float *variance, const float *dy, size_t dy_stride, const double *sums, const double *products, double count, float *dx, size_t dx_stride, int accumulate);
/// y = x / max(|x|, epsilon) for one row; returns 1 / max(...).
float pmae_normalise(const float *x, float *y, size_t n, float epsilon);
/// dx (+)= inverse * (dy - y sum(y dy)).
void pmae_normalise_backward(const float *y, const float *dy, float *dx, size_t n, float inverse, int accumulate);
/// Index of the greatest of n values, the first of equals; 0 where all are NaN, which is never the greatest.
size_t pmae_argmax(const float *x, size_t n);
/// Index of the first of n values, from i on, that is not less than `least`; n where there is none.
size_t pmae_first_at_least(const float *x, size_t i, size_t n, float least);
/// q = exp((x - shift) * scale) for n values.
void pmae_exp_scaled(const float *x, float *q, size_t n, float shift, float scale);
/// q[c] *= column[c], then the row is scaled to sum 1; for one row.
void pmae_scale_row(float *q, const float *column, size_t n);
float pmae_maximum(const float *x, size_t n);
float pmae_minimum(const float *x, size_t n);
/// y[i] = x[i] where it is greater.
void pmae_raise(const float *x, float *y, size_t n);
/// -sum q log q of n values >= 0, where 0 log 0 is 0 (so is that of a denormal); within 2e-6 of what it would be at most, the
/// log of n, for values that sum to 1.
double pmae_entropy(const float *q, size_t n);
/// 1 if every value is finite.
int pmae_all_finite(const float *x, size_t n);

/// y[i] = the bits of the bfloat16 nearest to x[i], ties to even; beyond the largest infinity, denormals kept, NaN quiet.
void pmae_to_bfloat16(const float *x, uint16_t *y, size_t n);
/// y[i] = the float32 of the bfloat16 bits x[i], exactly; every NaN keeps its bits.
void pmae_from_bfloat16(const uint16_t *x, float *y, size_t n);

// Maps of features: a row for each pixel, its channels as columns.
/// The two neighbours that a place lies between, the first not after the second, and the second's share; 0 where they are one.
typedef struct {
  uint32_t lower, upper;
  float share;
} pmae_between;
/// y[i] += (1 - share) x[lower] + share x[upper] for the pixels from <= i < to of a row, for the place i + shift.
void pmae_resize_row(const float *x, size_t x_stride, const pmae_between *places, ptrdiff_t shift, size_t from, size_t to, float *y, size_t y_stride, size_t channels);
/// Its adjoint: dx[lower] += (1 - share) dy[i], dx[upper] += share dy[i].
void pmae_resize_row_backward(const float *dy, size_t dy_stride, const pmae_between *places, ptrdiff_t shift, size_t from, size_t to, float *dx, size_t dx_stride, size_t channels);
/// y = the greatest of four; a NaN is the greatest.
void pmae_max4(const float *x0, const float *x1, const float *x2, const float *x3, float *y, size_t n);
/// Adds dy to the gradient of the first that is the greatest.
void pmae_max4_backward(const float *x0, const float *x1, const float *x2, const float *x3, const float *dy, float *d0, float *d1, float *d2, float *d3, size_t n);
/// sums[c] = the sum over rows of (x[r, c] - mean[c])^2.
void pmae_channel_sums(const float *x, size_t stride, size_t rows, size_t columns, const float *mean, float *sums);
/// y = v = (x - mean) scale + shift a column; max(0, v) where activation is 1, GELU(v) where it is 2.
void pmae_channel_norm(const float *x, size_t stride, size_t rows, size_t columns, const float *mean, const float *scale, const float *shift, int activation, float *y, size_t y_stride);
/// With g the gradient for v: sums[c] = sum g, products[c] = sum g (x - mean) inverse.
void pmae_channel_norm_sums(const float *x, size_t stride, size_t rows, size_t columns, const float *mean, const float *inverse, const float *scale, const float *shift, int activation, const float *dy, size_t dy_stride, float *sums, float *products);
/// dx (+)= scale (g - sums - (x - mean) inverse products), for sums and products that are means.
void pmae_channel_norm_backward(const float *x, size_t stride, size_t rows, size_t columns, const float *mean, const float *inverse, const float *scale, const float *shift, int activation, const float *dy, size_t dy_stride, const float *sums, const float *products, float *dx, size_t dx_stride, int accumulate);
/// y = (1 - share) low + share high.
void pmae_between_rows(const float *low, const float *high, float share, float *y, size_t n);
/// The sum of -log softmax(l)[label] over the pixels whose label is not `ignored`, for logits l between those of neighbours in a row;
/// *hits grows by the pixels whose label has the greatest logit. Where gradient is not NULL, the gradient for the neighbours' logits,
/// `classes` values each without gaps, is added to it. scratch: 2 classes values.
double pmae_pixel_loss(const float *logits, size_t stride, const pmae_between *places, size_t pixels, const uint8_t *labels, uint8_t ignored, size_t classes, float *gradient, size_t *hits, float *scratch);

/// One AdamW step (Loshchilov & Hutter) on n values: first shrink by `keep` = 1 - lr * decay, then moments and step;
/// share1 = 1 - beta1, share2 = 1 - beta2.
void pmae_adamw(float *w, const float *g, float *m, float *v, size_t n, float keep, float share1, float share2, float rate, float inverse_root2, float epsilon);
/// One step of gradient descent with momentum on n values: m = momentum m + share g + decay w, then w -= rate m.
void pmae_momentum(float *w, const float *g, float *m, size_t n, float share, float decay, float momentum, float rate);
/// t += (s - t) * weight.
void pmae_lerp(float *t, const float *s, size_t n, float weight);

/// 1 in a build with AddressSanitizer, whose two functions follow; in others they do nothing.
int pmae_has_address_sanitizer(void);
/// Any use of this memory is an error until it is unpoisoned. start: a multiple of 8.
void pmae_poison(const void *start, size_t bytes);
void pmae_unpoison(const void *start, size_t bytes);
#endif
