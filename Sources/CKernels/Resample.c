// One pass of a resize along one axis, in the 22-bit fixed point of Pillow: whole numbers, so every variant gives the same bits.
#include "CKernels.h"
#include "Vector.h"

enum { PRECISION = 22, HALF = 1 << (PRECISION - 1), SPAN = 64 };

typedef int32_t pixel __attribute__((ext_vector_type(4)));
typedef uint8_t bytes4 __attribute__((ext_vector_type(4)));

INLINE uint8_t clip(int32_t sum) {
  sum >>= PRECISION;
  return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/// Three channels and what lies behind them.
INLINE pixel four_bytes(const uint8_t *p) {
  bytes4 b;
  memcpy(&b, p, 4);
  return __builtin_convertvector(b, pixel);
}

/// Nothing is read behind the third channel: the picture may end there.
INLINE pixel three_bytes(const uint8_t *p) { return (pixel){p[0], p[1], p[2], 0}; }

INLINE void store(pixel sum, uint8_t *out) {
  for (int c = 0; c < 3; c++) out[c] = clip(sum[c]);
}

/// `rows` is 4 or 1: four rows share what is read of the weights.
INLINE void resample_rows(const int rows, const uint8_t *in, size_t stride, uint8_t *out, size_t width, const int32_t *weights,
                          size_t size, const int32_t *bounds) {
  for (size_t x = 0; x < width; x++) {
    const int32_t *k = weights + x * size;
    const uint8_t *p = in + 3 * (size_t)bounds[2 * x];
    const int taps = bounds[2 * x + 1];
    pixel sum[4];
    for (int r = 0; r < rows; r++) sum[r] = (pixel)(HALF);
    for (int t = 0; t + 1 < taps; t++)
      for (int r = 0; r < rows; r++) sum[r] += four_bytes(p + (size_t)r * stride + 3 * t) * (pixel)(k[t]);
    if (taps > 0)
      for (int r = 0; r < rows; r++) sum[r] += three_bytes(p + (size_t)r * stride + 3 * (taps - 1)) * (pixel)(k[taps - 1]);
    for (int r = 0; r < rows; r++) store(sum[r], out + 3 * ((size_t)r * width + x));
  }
}

VARIANTS void pmae_resample_rows(const uint8_t *in, size_t stride, uint8_t *out, size_t height, size_t width,
                                 const int32_t *weights, size_t size, const int32_t *bounds) {
  size_t y = 0;
  for (; y + 4 <= height; y += 4) resample_rows(4, in + y * stride, stride, out + 3 * y * width, width, weights, size, bounds);
  for (; y < height; y++) resample_rows(1, in + y * stride, stride, out + 3 * y * width, width, weights, size, bounds);
}

VARIANTS void pmae_resample_column(const uint8_t *in, size_t stride, uint8_t *out, size_t bytes, const int32_t *weights,
                                   size_t taps) {
  size_t i = 0;
  // The sums of a span stay in registers.
  for (; i + SPAN <= bytes; i += SPAN) {
    int32_t sum[SPAN];
    for (int l = 0; l < SPAN; l++) sum[l] = HALF;
    for (size_t t = 0; t < taps; t++) {
      const uint8_t *p = in + t * stride + i;
      for (int l = 0; l < SPAN; l++) sum[l] += p[l] * weights[t];
    }
    for (int l = 0; l < SPAN; l++) out[i + l] = clip(sum[l]);
  }
  for (; i < bytes; i++) {
    int32_t sum = HALF;
    for (size_t t = 0; t < taps; t++) sum += in[t * stride + i] * weights[t];
    out[i] = clip(sum);
  }
}
