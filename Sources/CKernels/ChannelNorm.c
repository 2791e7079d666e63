// Batch normalisation of maps, some rows at a time: v = (x - mean) scale + shift, then nothing, max(0, v) or GELU.
#include "Vector.h"

VARIANTS void pmae_channel_sums(const float *x, size_t stride, size_t rows, size_t columns, const float *mean,
                                float *restrict sums) {
  memset(sums, 0, columns * sizeof *sums);
  for (size_t r = 0; r < rows; r++, x += stride)
    for (size_t c = 0; c < columns; c++) {
      const float d = x[c] - mean[c];
      sums[c] += d * d;
    }
}

INLINE float activated(float v, int activation) {
  // NaN stays.
  return activation == 0 ? v : activation == 1 ? (v < 0 ? 0.0f : v) : gelu1(v);
}

INLINE float slope(float v, int activation) {
  return activation == 0 ? 1.0f : activation == 1 ? (v > 0 ? 1.0f : 0.0f) : gelu_slope1(v);
}

#define EACH_ACTIVATION(f)             \
  switch (activation) {                \
    case 0: f(0); break;               \
    case 1: f(1); break;               \
    default: f(2);                     \
  }

VARIANTS void pmae_channel_norm(const float *x, size_t stride, size_t rows, size_t columns, const float *mean, const float *scale,
                                const float *shift, int activation, float *restrict y, size_t y_stride) {
#define FORWARD(kind)                                                                                  \
  for (size_t r = 0; r < rows; r++, x += stride, y += y_stride)                                        \
    for (size_t c = 0; c < columns; c++) y[c] = activated((x[c] - mean[c]) * scale[c] + shift[c], kind)
  EACH_ACTIVATION(FORWARD)
}

VARIANTS void pmae_channel_norm_sums(const float *x, size_t stride, size_t rows, size_t columns, const float *mean,
                                     const float *inverse, const float *scale, const float *shift, int activation, const float *dy,
                                     size_t dy_stride, float *restrict sums, float *restrict products) {
  memset(sums, 0, columns * sizeof *sums);
  memset(products, 0, columns * sizeof *products);
#define SUMS(kind)                                                                                     \
  for (size_t r = 0; r < rows; r++, x += stride, dy += dy_stride)                                      \
    for (size_t c = 0; c < columns; c++) {                                                             \
      const float d = x[c] - mean[c], g = dy[c] * slope(d * scale[c] + shift[c], kind);                \
      sums[c] += g;                                                                                    \
      products[c] += g * (d * inverse[c]);                                                             \
    }
  EACH_ACTIVATION(SUMS)
}

VARIANTS void pmae_channel_norm_backward(const float *x, size_t stride, size_t rows, size_t columns, const float *mean,
                                         const float *inverse, const float *scale, const float *shift, int activation,
                                         const float *dy, size_t dy_stride, const float *sums, const float *products,
                                         float *restrict dx, size_t dx_stride, int accumulate) {
#define GRADIENT(c, kind) (scale[c] * (dy[c] * slope((x[c] - mean[c]) * scale[c] + shift[c], kind) - sums[c] - (x[c] - mean[c]) * inverse[c] * products[c]))
#define BACKWARD(kind)                                                                                 \
  for (size_t r = 0; r < rows; r++, x += stride, dy += dy_stride, dx += dx_stride)                     \
    if (accumulate)                                                                                    \
      for (size_t c = 0; c < columns; c++) dx[c] += GRADIENT(c, kind);                                 \
    else                                                                                               \
      for (size_t c = 0; c < columns; c++) dx[c] = GRADIENT(c, kind)
  EACH_ACTIVATION(BACKWARD)
}
