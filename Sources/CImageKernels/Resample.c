// One pass of a resize along one axis, in the 22-bit fixed point of Pillow: whole numbers, so every variant gives the same bits.
#include "CImageKernels.h"
#include "Variants.h"
#include <string.h>

enum { PRECISION = 22, HALF = 1 << (PRECISION - 1), SPAN = 64 };

typedef uint8_t bytes16 __attribute__((ext_vector_type(16), aligned(1)));

INLINE uint8_t clip(int32_t sum) {
  sum >>= PRECISION;
  return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/// out[l] of `span` lanes is the sum over t of weights[t] in[t * step + l]. The sums of a span stay in registers.
INLINE void weigh(const uint8_t *in, size_t step, uint8_t *out, const int span, const int32_t *weights, size_t taps) {
  int32_t sum[SPAN];
  for (int l = 0; l < span; l++) sum[l] = HALF;
  for (size_t t = 0; t < taps; t++) {
    const uint8_t *p = in + t * step;
    for (int l = 0; l < span; l++) sum[l] += p[l] * weights[t];
  }
  for (int l = 0; l < span; l++) out[l] = clip(sum[l]);
}

/// Sixteen rows of sixteen bytes, turned: four rounds that each put the bytes of rows 0-7 between those of rows 8-15.
INLINE void turn(bytes16 *rows) {
  for (int round = 0; round < 4; round++) {
    bytes16 next[16];
    for (int i = 0; i < 8; i++) {
      next[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    for (int i = 0; i < 16; i++) rows[i] = next[i];
  }
}

/// out[x * span + y] = in[y * stride + x], for `rows` <= span rows of `bytes` bytes.
INLINE void turn_in(const uint8_t *in, size_t stride, size_t rows, size_t bytes, uint8_t *out, const size_t span) {
  for (size_t y = 0; y < rows; y += 16)
    for (size_t x = 0; x < bytes; x += 16) {
      const size_t width = bytes - x < 16 ? bytes - x : 16;
      bytes16 block[16];
      for (size_t i = 0; i < 16; i++) {
        // What is missing of sixteen rows is the last again; behind the last byte nothing is read, as the picture may end there.
        const uint8_t *p = in + (y + i < rows ? y + i : rows - 1) * stride + x;
        if (width == 16) {
          block[i] = *(const bytes16 *)p;
        } else {
          uint8_t part[16] = {0};
          memcpy(part, p, width);
          block[i] = *(const bytes16 *)part;
        }
      }
      turn(block);
      for (size_t i = 0; i < width; i++) *(bytes16 *)(out + (x + i) * span + y) = block[i];
    }
}

/// out[y * bytes + x] = in[x * span + y], for `rows` <= span rows of `bytes` bytes.
INLINE void turn_out(const uint8_t *in, size_t rows, size_t bytes, uint8_t *out, const size_t span) {
  for (size_t y = 0; y < rows; y += 16)
    for (size_t x = 0; x < bytes; x += 16) {
      const size_t width = bytes - x < 16 ? bytes - x : 16, height = rows - y < 16 ? rows - y : 16;
      bytes16 block[16];
      for (size_t i = 0; i < 16; i++) block[i] = *(const bytes16 *)(in + (x + (i < width ? i : width - 1)) * span + y);
      turn(block);
      for (size_t i = 0; i < height; i++) memcpy(out + (y + i) * bytes + x, &block[i], width);
    }
}

/// Up to `span` rows. They are turned, so that a tap is one weight for as many rows as there are lanes, and turned back.
INLINE void resample_band(const uint8_t *in, size_t stride, uint8_t *out, size_t rows, size_t width, size_t channels,
                          const int32_t *weights, size_t size, const int32_t *bounds, uint8_t *scratch, const int span) {
  const size_t reach = (size_t)(bounds[2 * width - 2] + bounds[2 * width - 1]);
  uint8_t *turned = scratch, *made = scratch + reach * channels * (size_t)span;
  turn_in(in, stride, rows, reach * channels, turned, (size_t)span);
  for (size_t x = 0; x < width; x++)
    for (size_t c = 0; c < channels; c++)
      weigh(turned + ((size_t)bounds[2 * x] * channels + c) * (size_t)span, channels * (size_t)span,
            made + (x * channels + c) * (size_t)span, span, weights + x * size, (size_t)bounds[2 * x + 1]);
  turn_out(made, rows, width * channels, out, (size_t)span);
}

VARIANTS void pmae_resample_rows(const uint8_t *in, size_t stride, uint8_t *out, size_t height, size_t width, size_t channels,
                                 const int32_t *weights, size_t size, const int32_t *bounds, uint8_t *scratch) {
  for (size_t y = 0; y < height;) {
    const size_t left = height - y, rows = left < SPAN ? left : SPAN;
    const uint8_t *p = in + y * stride;
    uint8_t *q = out + y * width * channels;
    if (left <= 16)
      resample_band(p, stride, q, rows, width, channels, weights, size, bounds, scratch, 16);
    else if (left <= 32)
      resample_band(p, stride, q, rows, width, channels, weights, size, bounds, scratch, 32);
    else
      resample_band(p, stride, q, rows, width, channels, weights, size, bounds, scratch, SPAN);
    y += rows;
  }
}

VARIANTS void pmae_resample_column(const uint8_t *in, size_t stride, uint8_t *out, size_t bytes, const int32_t *weights,
                                   size_t taps) {
  size_t i = 0;
  for (; i + SPAN <= bytes; i += SPAN) weigh(in + i, stride, out + i, SPAN, weights, taps);
  for (; i < bytes; i++) weigh(in + i, stride, out + i, 1, weights, taps);
}
