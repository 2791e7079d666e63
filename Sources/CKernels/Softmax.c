// Softmax over a row, the losses on it, and what labels are made with.
#include "Reductions.h"

VARIANTS float pmae_maximum(const float *x, size_t n) { return maximum(x, n); }

VARIANTS float pmae_minimum(const float *x, size_t n) {
  float lanes[32];
  for (int l = 0; l < 32; l++) lanes[l] = INFINITY;
  size_t i = 0;
  for (; i + 32 <= n; i += 32)
    for (int l = 0; l < 32; l++) lanes[l] = x[i + l] < lanes[l] ? x[i + l] : lanes[l];
  float m = INFINITY;
  for (int l = 0; l < 32; l++) m = lanes[l] < m ? lanes[l] : m;
  for (; i < n; i++) m = x[i] < m ? x[i] : m;
  return m;
}

VARIANTS void pmae_raise(const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] > y[i] ? x[i] : y[i];
}

INLINE void softmax_rows(float *x, size_t rows, size_t n, size_t stride, float scale, float *inverse, uint16_t *rounded) {
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
    if (rounded)
      for (size_t i = 0; i < end; i++) rounded[r * stride + i] = bfloat16(x[i]);
  }
}

VARIANTS void pmae_softmax_rows(float *x, size_t rows, size_t n, size_t stride, float scale, float *inverse) {
  softmax_rows(x, rows, n, stride, scale, inverse, NULL);
}

VARIANTS void pmae_softmax_rows_bf16(float *x, size_t rows, size_t n, size_t stride, float scale, float *inverse,
                                       uint16_t *rounded) {
  softmax_rows(x, rows, n, stride, scale, inverse, rounded);
}

VARIANTS void pmae_scale_rows(float *x, size_t rows, size_t n, size_t stride, const float *factors) {
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < n; i++) x[r * stride + i] *= factors[r];
}

VARIANTS void pmae_softmax_backward(const float *p, float *d, size_t n, float scale) {
  const float s = dot(p, d, n);
  for (size_t i = 0; i < n; i++) d[i] = scale * p[i] * (d[i] - s);
}

VARIANTS void pmae_softmax_backward_bf16(const float *p, const float *d, uint16_t *ds, size_t n, float scale) {
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

VARIANTS double pmae_cross_entropy(const float *x, size_t label, size_t n, float scale, float *statistics) {
  const float top = maximum(x, n);
  const double total = sum_of_exponentials(x, n, scale, top);
  statistics[0] = top;
  statistics[1] = (float)(1.0 / total);
  return log(total) + (double)scale * ((double)top - (double)x[label]);
}

VARIANTS void pmae_cross_entropy_backward(float *x, size_t label, size_t n, float scale, float weight,
                                          const float *statistics) {
  const float top = statistics[0], share = weight * statistics[1];
  for (size_t i = 0; i < n; i++) x[i] = exp1((x[i] - top) * scale) * share;
  x[label] -= weight;
}

// log (1 + e^x) is x + log (1 + e^-x), and one of the two cannot overflow.
VARIANTS double pmae_binary_cross_entropy(const float *x, const float *target, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) {
    const double above = x[i] > 0 ? x[i] : 0;
    s += above + log1p(exp(-fabs((double)x[i]))) - (double)target[i] * (double)x[i];
  }
  return s;
}

VARIANTS void pmae_binary_cross_entropy_backward(float *x, const float *target, size_t n, float weight) {
  for (size_t i = 0; i < n; i++) x[i] = weight * (1.0f / (1.0f + exp1(-x[i])) - target[i]);
}

// First the greatest value, then its first place. Neither waits for the value before, as a running best would.
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

VARIANTS size_t pmae_first_at_least(const float *x, size_t i, size_t n, float least) {
  for (; i + 64 <= n; i += 64) {
    const sixteen *v = (const sixteen *)(x + i);
    const sixteen_bits any = (v[0] >= least) | (v[1] >= least) | (v[2] >= least) | (v[3] >= least);
    if (__builtin_reduce_or(any)) break;
  }
  for (; i < n; i++)
    if (x[i] >= least) return i;
  return n;
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
