// Kernels that reduce a row: normalisations, softmax and the losses on them.
#include "Vector.h"

/// In lanes of its own making: the compiler must not assume that there is no NaN, so it would not split this itself.
INLINE float maximum(const float *x, size_t n) {
  float lanes[32];
  for (int l = 0; l < 32; l++) lanes[l] = -INFINITY;
  size_t i = 0;
  for (; i + 32 <= n; i += 32)
    for (int l = 0; l < 32; l++) lanes[l] = x[i + l] > lanes[l] ? x[i + l] : lanes[l];
  float m = -INFINITY;
  for (int l = 0; l < 32; l++) m = lanes[l] > m ? lanes[l] : m;
  for (; i < n; i++) m = x[i] > m ? x[i] : m;
  return m;
}

VARIANTS float pmae_maximum(const float *x, size_t n) { return maximum(x, n); }

INLINE float sum(const float *x, size_t n) {
  LANES
  float s = 0;
  for (size_t i = 0; i < n; i++) s += x[i];
  return s;
}

INLINE float dot(const float *x, const float *y, size_t n) {
  LANES
  float s = 0;
  for (size_t i = 0; i < n; i++) s += x[i] * y[i];
  return s;
}

VARIANTS double pmae_dot(const float *x, const float *y, size_t n) {
  LANES
  double s = 0;
  for (size_t i = 0; i < n; i++) s += (double)x[i] * y[i];
  return s;
}

INLINE float squares_about(const float *x, size_t n, float mean) {
  LANES
  float s = 0;
  for (size_t i = 0; i < n; i++) s += (x[i] - mean) * (x[i] - mean);
  return s;
}

VARIANTS void pmae_layer_norm(const float *x, const float *gamma, const float *beta, float *y, size_t n, float epsilon,
                              float *statistics) {
  const float mean = sum(x, n) / (float)n;
  const float inverse = 1.0f / sqrtf(squares_about(x, n, mean) / (float)n + epsilon);
  for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * inverse * gamma[i] + beta[i];
  statistics[0] = mean;
  statistics[1] = inverse;
}

VARIANTS void pmae_layer_norm_narrow(const float *x, const float *gamma, const float *beta, uint16_t *y, size_t n,
                                     float epsilon, float *statistics) {
  const float mean = sum(x, n) / (float)n;
  const float inverse = 1.0f / sqrtf(squares_about(x, n, mean) / (float)n + epsilon);
  for (size_t i = 0; i < n; i++) y[i] = bfloat16((x[i] - mean) * inverse * gamma[i] + beta[i]);
  statistics[0] = mean;
  statistics[1] = inverse;
}

INLINE void layer_norm_sums(const float *x, const float *gamma, const float *dy, size_t n, float mean, float inverse,
                            float *a, float *b) {
  LANES
  float s = 0, t = 0;
  for (size_t i = 0; i < n; i++) {
    const float g = dy[i] * gamma[i];
    s += g;
    t += g * ((x[i] - mean) * inverse);
  }
  *a = s / (float)n;
  *b = t / (float)n;
}

VARIANTS void pmae_layer_norm_backward(const float *x, const float *gamma, const float *dy, float *dx, size_t n,
                                       const float *statistics, int accumulate) {
  const float mean = statistics[0], inverse = statistics[1];
  float a, b;
  layer_norm_sums(x, gamma, dy, n, mean, inverse, &a, &b);
  const float keep = accumulate ? 1.0f : 0.0f;
  if (!accumulate) memset(dx, 0, n * sizeof(float));
  for (size_t i = 0; i < n; i++) {
    const float hat = (x[i] - mean) * inverse;
    dx[i] = keep * dx[i] + inverse * (dy[i] * gamma[i] - a - hat * b);
  }
}

VARIANTS void pmae_layer_norm_parameters(const float *x, const int32_t *row_of, const float *dy, const float *statistics,
                                         float *dgamma, float *dbeta, size_t rows, size_t columns, size_t x_stride,
                                         size_t dy_stride, int accumulate) {
  // Blocks of rows are summed apart, so that a long sum keeps its precision.
  float g[512], b[512];
  for (size_t c0 = 0; c0 < columns; c0 += 512) {
    const size_t width = columns - c0 < 512 ? columns - c0 : 512;
    if (!accumulate)
      for (size_t c = 0; c < width; c++) dgamma[c0 + c] = dbeta[c0 + c] = 0;
    for (size_t r0 = 0; r0 < rows; r0 += 128) {
      const size_t end = r0 + 128 < rows ? r0 + 128 : rows;
      memset(g, 0, sizeof g);
      memset(b, 0, sizeof b);
      for (size_t r = r0; r < end; r++) {
        const float *xr = x + (row_of ? (size_t)row_of[r] : r) * x_stride + c0;
        const float *dr = dy + r * dy_stride + c0;
        const float mean = statistics[2 * r], inverse = statistics[2 * r + 1];
        for (size_t c = 0; c < width; c++) {
          g[c] += dr[c] * ((xr[c] - mean) * inverse);
          b[c] += dr[c];
        }
      }
      for (size_t c = 0; c < width; c++) {
        dgamma[c0 + c] += g[c];
        dbeta[c0 + c] += b[c];
      }
    }
  }
}

// Whole rows, or long parts of them, so that memory is read in order; blocks of rows are summed apart, so that a long sum
// keeps its precision.
#define COLUMN_SUMS(SUFFIX, TYPE, LOAD)                                                                              \
  VARIANTS void pmae_column_sums##SUFFIX(const TYPE *x, float *restrict y, size_t rows, size_t columns,                \
                                         size_t stride, int accumulate) {                                              \
    float s[1024];                                                                                                     \
    if (!accumulate) memset(y, 0, columns * sizeof *y);                                                                \
    for (size_t c0 = 0; c0 < columns; c0 += 1024) {                                                                    \
      const size_t width = columns - c0 < 1024 ? columns - c0 : 1024;                                                  \
      for (size_t r0 = 0; r0 < rows; r0 += 128) {                                                                      \
        const size_t end = r0 + 128 < rows ? r0 + 128 : rows;                                                          \
        memset(s, 0, width * sizeof *s);                                                                               \
        size_t r = r0;                                                                                                 \
        for (; r + 4 <= end; r += 4) {                                                                                 \
          const TYPE *x0 = x + r * stride + c0, *x1 = x0 + stride, *x2 = x1 + stride, *x3 = x2 + stride;               \
          for (size_t c = 0; c < width; c++) s[c] += (LOAD(x0[c]) + LOAD(x1[c])) + (LOAD(x2[c]) + LOAD(x3[c]));        \
        }                                                                                                              \
        for (; r < end; r++) {                                                                                         \
          const TYPE *x0 = x + r * stride + c0;                                                                        \
          for (size_t c = 0; c < width; c++) s[c] += LOAD(x0[c]);                                                      \
        }                                                                                                              \
        for (size_t c = 0; c < width; c++) y[c0 + c] += s[c];                                                          \
      }                                                                                                                \
    }                                                                                                                  \
  }
COLUMN_SUMS(, float, )
COLUMN_SUMS(_narrow, uint16_t, from_bfloat16)

VARIANTS void pmae_standardise(const float *x, float *y, size_t n, float epsilon, int unbiased) {
  const float mean = sum(x, n) / (float)n;
  const float variance = squares_about(x, n, mean) / (float)(n - (unbiased ? 1 : 0));
  const float inverse = 1.0f / sqrtf(variance + epsilon);
  for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * inverse;
}

INLINE void softmax_rows(float *x, size_t rows, size_t n, size_t stride, float scale, float *inverse, uint16_t *narrow) {
  // Whole vectors: what follows a row's end is room for them, and counts for nothing.
  const size_t end = (n + 15) / 16 * 16;
  const sixteen_bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const sixteen_bits beyond = lane >= (int32_t)(n - (end - 16));
  for (size_t r = 0; r < rows; r++, x += stride) {
    const sixteen last = beyond ? (sixteen)-INFINITY : *(const sixteen *)(x + end - 16);
    sixteen top = last;
    for (size_t i = 0; i + 16 < end; i += 16) top = __builtin_elementwise_max(top, *(const sixteen *)(x + i));
    const float peak = highest(&top);
    sixteen sum = (last - peak) * scale;
    exp_negative16(&sum);
    *(sixteen *)(x + end - 16) = sum;
    // Blocks are summed apart, so that a long sum keeps its precision.
    for (size_t block = 0; block + 16 < end; block += 512) {
      const size_t stop = block + 512 < end - 16 ? block + 512 : end - 16;
      sixteen part = 0;
      for (size_t i = block; i < stop; i += 16) {
        sixteen e = (*(const sixteen *)(x + i) - peak) * scale;
        exp_negative16(&e);
        *(sixteen *)(x + i) = e;
        part += e;
      }
      sum += part;
    }
    const float share = 1.0f / total(&sum);
    if (inverse)
      inverse[r] = share;
    else
      for (size_t i = 0; i < end; i += 16) *(sixteen *)(x + i) *= share;
    if (narrow)
      for (size_t i = 0; i < end; i++) narrow[r * stride + i] = bfloat16(x[i]);
  }
}

VARIANTS void pmae_softmax_rows(float *x, size_t rows, size_t n, size_t stride, float scale, float *inverse) {
  softmax_rows(x, rows, n, stride, scale, inverse, NULL);
}

VARIANTS void pmae_softmax_rows_narrow(float *x, size_t rows, size_t n, size_t stride, float scale, float *inverse,
                                       uint16_t *narrow) {
  softmax_rows(x, rows, n, stride, scale, inverse, narrow);
}

VARIANTS void pmae_scale_rows(float *x, size_t rows, size_t n, size_t stride, const float *factors) {
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < n; i++) x[r * stride + i] *= factors[r];
}

VARIANTS void pmae_softmax_backward(const float *p, float *d, size_t n, float scale) {
  const float s = dot(p, d, n);
  for (size_t i = 0; i < n; i++) d[i] = scale * p[i] * (d[i] - s);
}

VARIANTS void pmae_softmax_backward_narrow(const float *p, const float *d, uint16_t *ds, size_t n, float scale) {
  const float s = dot(p, d, n);
  for (size_t i = 0; i < n; i++) ds[i] = bfloat16(scale * p[i] * (d[i] - s));
}

INLINE double sum_of_exponentials(const float *x, size_t n, float scale, float top) {
  LANES
  float s = 0;
  for (size_t i = 0; i < n; i++) s += exp1((x[i] - top) * scale);
  return (double)s;
}

VARIANTS double pmae_soft_cross_entropy(const float *x, const float *label, size_t n, float scale, float *statistics) {
  const float top = maximum(x, n);
  const double total = sum_of_exponentials(x, n, scale, top);
  const double log_total = log(total);
  // -sum l (s x - s top - log total): the label's own sum and its product with the logits are all that is needed.
  const double weight = (double)sum(label, n), cross = (double)dot(label, x, n);
  statistics[0] = top;
  statistics[1] = (float)(1.0 / total);
  statistics[2] = (float)weight;
  return weight * ((double)scale * (double)top + log_total) - (double)scale * cross;
}

VARIANTS void pmae_soft_cross_entropy_backward(float *x, const float *label, size_t n, float scale, float weight,
                                               const float *statistics) {
  const float top = statistics[0], inverse = statistics[1] * statistics[2];
  for (size_t i = 0; i < n; i++) x[i] = weight * (exp1((x[i] - top) * scale) * inverse - label[i]);
}

VARIANTS float pmae_normalise(const float *x, float *y, size_t n, float epsilon) {
  const float norm = sqrtf(dot(x, x, n));
  const float inverse = 1.0f / (norm < epsilon ? epsilon : norm);
  for (size_t i = 0; i < n; i++) y[i] = x[i] * inverse;
  return inverse;
}

VARIANTS void pmae_normalise_backward(const float *y, const float *dy, float *dx, size_t n, float inverse, int accumulate) {
  const float s = dot(y, dy, n);
  if (accumulate) {
    for (size_t i = 0; i < n; i++) dx[i] += inverse * (dy[i] - y[i] * s);
  } else {
    for (size_t i = 0; i < n; i++) dx[i] = inverse * (dy[i] - y[i] * s);
  }
}

// The greatest value, then its first place: neither waits for the value before, as the best so far would.
VARIANTS size_t pmae_argmax(const float *x, size_t n) {
  float top = -INFINITY;
  size_t i = 0;
  if (n >= 16) {
    sixteen most = *(const sixteen *)x;
    for (i = 16; i + 16 <= n; i += 16) most = __builtin_elementwise_max(most, *(const sixteen *)(x + i));
    top = highest(&most);
  }
  for (; i < n; i++) top = x[i] > top ? x[i] : top;
  for (i = 0; i + 16 <= n; i += 16) {
    const sixteen_bits is_top = *(const sixteen *)(x + i) == top;
    if (__builtin_reduce_or(is_top)) break;
  }
  for (; i < n; i++)
    if (x[i] == top) return i;
  return 0;
}

VARIANTS void pmae_scale_row(float *q, const float *column, size_t n) {
  for (size_t i = 0; i < n; i++) q[i] *= column[i];
  const float inverse = 1.0f / sum(q, n);
  for (size_t i = 0; i < n; i++) q[i] *= inverse;
}

/// The natural logarithm of a normal number > 0, within 2 ULP (Cephes' polynomial).
INLINE float log1(float x) {
  union { float f; int32_t i; } v = {x};
  // The mantissa between the roots of 1/2 and 2.
  const int32_t e = (v.i - 0x3F3504F3) >> 23;
  v.i -= e * (1 << 23);
  const float m = v.f - 1.0f, z = m * m, n = (float)e;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  p = p * m * z - 2.12194440e-4f * n - 0.5f * z;
  return m + p + 0.693359375f * n;
}

VARIANTS double pmae_entropy(const float *q, size_t n) {
  LANES
  float s = 0;
  for (size_t i = 0; i < n; i++) s += q[i] * log1(q[i] > 1.17549435e-38f ? q[i] : 1.17549435e-38f);
  return -(double)s;
}
