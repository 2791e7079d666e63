// Kernels that reduce a row: sums, normalisations.
#include "Reductions.h"

VARIANTS double pmae_dot(const float *x, const float *y, size_t n) {
  LANES
  double s = 0;
  for (size_t i = 0; i < n; i++) s += (double)x[i] * y[i];
  return s;
}

VARIANTS double pmae_absolute_error(const float *x, const float *target, float *sign, size_t n) {
  LANES
  double s = 0;
  for (size_t i = 0; i < n; i++) {
    const float d = x[i] - target[i];
    s += fabs((double)d);
    sign[i] = (float)(d > 0) - (float)(d < 0);
  }
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

VARIANTS void pmae_layer_norm_bf16(const float *x, const float *gamma, const float *beta, uint16_t *y, size_t n,
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
COLUMN_SUMS(_bf16, uint16_t, from_bfloat16)

VARIANTS void pmae_standardise(const float *x, float *y, size_t n, float epsilon, int unbiased) {
  const float mean = sum(x, n) / (float)n;
  const float variance = squares_about(x, n, mean) / (float)(n - (unbiased ? 1 : 0));
  const float inverse = 1.0f / sqrtf(variance + epsilon);
  for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * inverse;
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
