// One axis of a blur by three boxes of fractional radius, after Blur.swift: whole numbers, so every variant gives the same bits.
#include "CImageKernels.h"
#include "Variants.h"
#include <string.h>

enum { LANE = 64, PASSES = 3 };

/// `inner` times the `2 margin - 1` values around the middle and `outer` times the two next to them, in 24 bits; values are `step`
/// bytes apart, the first of them at p.
INLINE void box(const uint8_t *p, size_t step, size_t margin, uint32_t inner, uint32_t outer, const int lanes, uint8_t *out) {
  uint32_t near[LANE], far[LANE];
  for (int l = 0; l < lanes; l++) far[l] = (uint32_t)p[l] + p[2 * margin * step + l];
  for (int l = 0; l < lanes; l++) near[l] = 0;
  for (size_t m = 1; m < 2 * margin; m++)
    for (int l = 0; l < lanes; l++) near[l] += p[m * step + l];
  for (int l = 0; l < lanes; l++) out[l] = (uint8_t)((near[l] * inner + far[l] * outer + (1 << 23)) >> 24);
}

VARIANTS void pmae_blur_row(uint8_t *row, size_t width, size_t channels, size_t margin, uint32_t inner, uint32_t outer, uint8_t *scratch) {
  const size_t bytes = width * channels, edge = margin * channels;
  for (int pass = 0; pass < PASSES; pass++) {
    for (size_t m = 0; m < margin; m++) {
      memcpy(scratch + m * channels, row, channels);
      memcpy(scratch + edge + bytes + m * channels, row + bytes - channels, channels);
    }
    memcpy(scratch + edge, row, bytes);
    size_t i = 0;
    for (; i + LANE <= bytes; i += LANE) box(scratch + i, channels, margin, inner, outer, LANE, row + i);
    for (; i < bytes; i++) box(scratch + i, channels, margin, inner, outer, 1, row + i);
  }
}

/// `lanes` bytes of each row: through a copy, whose rows are LANE bytes apart, with `margin` more at either end.
INLINE void columns(uint8_t *at, size_t height, size_t stride, size_t margin, uint32_t inner, uint32_t outer, const int lanes, uint8_t *scratch) {
  for (int pass = 0; pass < PASSES; pass++) {
    for (size_t y = 0; y < height; y++) memcpy(scratch + (margin + y) * LANE, at + y * stride, lanes);
    for (size_t m = 0; m < margin; m++) {
      memcpy(scratch + m * LANE, scratch + margin * LANE, lanes);
      memcpy(scratch + (margin + height + m) * LANE, scratch + (margin + height - 1) * LANE, lanes);
    }
    for (size_t y = 0; y < height; y++) box(scratch + y * LANE, LANE, margin, inner, outer, lanes, at + y * stride);
  }
}

VARIANTS void pmae_blur_columns(uint8_t *at, size_t height, size_t bytes, size_t margin, uint32_t inner, uint32_t outer, uint8_t *scratch) {
  size_t i = 0;
  for (; i + LANE <= bytes; i += LANE) columns(at + i, height, bytes, margin, inner, outer, LANE, scratch);
  for (; i + 16 <= bytes; i += 16) columns(at + i, height, bytes, margin, inner, outer, 16, scratch);
  for (; i < bytes; i++) columns(at + i, height, bytes, margin, inner, outer, 1, scratch);
}
