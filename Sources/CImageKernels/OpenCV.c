// OpenCV's arithmetic on 8-bit pixels, to the bit: its bilinear resize without antialiasing, after resize.cpp, and its 8-bit HSV, after
// color_hsv.simd.hpp. Whole numbers, or IEEE operations in OpenCV's order, so every variant gives the same bits.
#include "CImageKernels.h"
#include "Variants.h"

#pragma STDC FP_CONTRACT OFF

VARIANTS void pmae_linear_row(const uint8_t *in, int32_t *out, size_t width, size_t channels, const int32_t *places, const int16_t *weights, size_t step) {
  if (channels == 3) {
    for (size_t x = 0; x < width; x++) {
      const uint8_t *a = in + 3 * (size_t)places[x];
      // The last pixel has no neighbour, and a weight of 0 for it.
      const uint8_t *b = a + (weights[2 * x + 1] ? step : 0);
      const int32_t wa = weights[2 * x], wb = weights[2 * x + 1];
      for (int c = 0; c < 3; c++) out[3 * x + c] = wa * a[c] + wb * b[c];
    }
    return;
  }
  for (size_t x = 0; x < width; x++) {
    const uint8_t *a = in + (size_t)places[x];
    const uint8_t *b = a + (weights[2 * x + 1] ? step : 0);
    out[x] = weights[2 * x] * a[0] + weights[2 * x + 1] * b[0];
  }
}

VARIANTS void pmae_linear_column(const int32_t *a, const int32_t *b, int32_t wa, int32_t wb, uint8_t *out, size_t count) {
  for (size_t i = 0; i < count; i++)
    out[i] = (uint8_t)((((wa * (a[i] >> 4)) >> 16) + ((wb * (b[i] >> 4)) >> 16) + 2) >> 2);
}

void pmae_lookup(uint8_t *at, size_t count, const uint8_t *table) {
  for (size_t i = 0; i < count; i++) at[i] = table[at[i]];
}

/// 255 · 2^12 / i and 180 · 2^12 / 6 i, rounded.
INLINE int32_t rounded(double x) { return (int32_t)(x + 0.5); }

enum { SPAN = 64 };

VARIANTS void pmae_opencv_hsv(uint8_t *at, size_t count, const uint8_t *hues, const uint8_t *saturations) {
  int32_t of_saturation[256], of_hue[256];
  of_saturation[0] = of_hue[0] = 0;
  for (int i = 1; i < 256; i++) {
    of_saturation[i] = rounded((255 << 12) / (double)i);
    of_hue[i] = rounded((180 << 12) / (6.0 * i));
  }
  const float turn = 6.0f / 180.0f, part = 1.0f / 255.0f;
  for (size_t start = 0; start < count; start += SPAN) {
    const size_t n = count - start < SPAN ? count - start : SPAN;
    uint8_t *p = at + 3 * start;
    uint8_t hsv[3][SPAN];
    for (size_t i = 0; i < n; i++) {
      const int32_t r = p[3 * i], g = p[3 * i + 1], b = p[3 * i + 2];
      int32_t v = b, least = b;
      v = g > v ? g : v;
      v = r > v ? r : v;
      least = g < least ? g : least;
      least = r < least ? r : least;
      const int32_t range = v - least;
      const int32_t saturation = (range * of_saturation[v] + (1 << 11)) >> 12;
      int32_t hue = v == r ? g - b : v == g ? b - r + 2 * range : r - g + 4 * range;
      hue = (hue * of_hue[range] + (1 << 11)) >> 12;
      hue += hue < 0 ? 180 : 0;
      hsv[0][i] = hues[hue];
      hsv[1][i] = saturations[saturation];
      hsv[2][i] = (uint8_t)v;
    }
    for (size_t i = 0; i < n; i++) {
      float h = hsv[0][i] * turn;
      const float s = hsv[1][i] * part, v = hsv[2][i] * part;
      int32_t sector = (int32_t)h;
      h -= (float)sector;
      // OpenCV's vectors fuse these two; what it does with the few pixels that are left over at an end may differ by one level.
      const float falling = v * __builtin_fmaf(-s, h, 1.0f), rising = v * __builtin_fmaf(-s, 1.0f - h, 1.0f);
      const float low = v * (1.0f - s);
      sector = sector > 5 ? sector - 6 : sector;
      const float r = sector == 0 || sector == 5 ? v : sector == 1 ? falling : sector == 4 ? rising : low;
      const float g = sector == 1 || sector == 2 ? v : sector == 0 ? rising : sector == 3 ? falling : low;
      const float b = sector == 3 || sector == 4 ? v : sector == 2 ? rising : sector == 5 ? falling : low;
      p[3 * i] = (uint8_t)(int32_t)(r * 255.0f);
      p[3 * i + 1] = (uint8_t)(int32_t)(g * 255.0f);
      p[3 * i + 2] = (uint8_t)(int32_t)(b * 255.0f);
    }
  }
}
