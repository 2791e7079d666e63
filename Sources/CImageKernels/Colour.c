// Pillow's colour arithmetic on RGB pixels, sixteen at a time, to the bit: after its Convert.c, which follows Python's colorsys. Whole
// numbers, or IEEE operations in Pillow's order, none of them fused, so every variant gives the same bits.
#include "CImageKernels.h"
#include "Variants.h"
#include <string.h>

#pragma STDC FP_CONTRACT OFF

typedef uint8_t bytes16 __attribute__((ext_vector_type(16), aligned(1)));
typedef double doubles __attribute__((ext_vector_type(16)));
typedef float floats __attribute__((ext_vector_type(16)));
typedef int32_t ints __attribute__((ext_vector_type(16)));

#define TO(type, x) __builtin_convertvector(x, type)
#define CHOOSE(mask, a, b) ((mask) ? (a) : (b))

/// The channels of sixteen pixels.
typedef struct { bytes16 r, g, b; } pixels16;

INLINE void split(const uint8_t *p, pixels16 *out) {
  const bytes16 x = *(const bytes16 *)p, y = *(const bytes16 *)(p + 16), z = *(const bytes16 *)(p + 32);
  const bytes16 r = __builtin_shufflevector(x, y, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, -1, -1, -1, -1, -1);
  const bytes16 g = __builtin_shufflevector(x, y, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, -1, -1, -1, -1, -1);
  const bytes16 b = __builtin_shufflevector(x, y, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, -1, -1, -1, -1, -1, -1);
  out->r = __builtin_shufflevector(r, z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29);
  out->g = __builtin_shufflevector(g, z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30);
  out->b = __builtin_shufflevector(b, z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31);
}

INLINE void join(const pixels16 *in, uint8_t *p) {
  const bytes16 r = in->r, g = in->g, b = in->b;
  const bytes16 x = __builtin_shufflevector(r, g, 0, 16, -1, 1, 17, -1, 2, 18, -1, 3, 19, -1, 4, 20, -1, 5);
  const bytes16 y = __builtin_shufflevector(r, g, 21, -1, 6, 22, -1, 7, 23, -1, 8, 24, -1, 9, 25, -1, 10, 26);
  const bytes16 z = __builtin_shufflevector(r, g, -1, 11, 27, -1, 12, 28, -1, 13, 29, -1, 14, 30, -1, 15, 31, -1);
  *(bytes16 *)p = __builtin_shufflevector(x, b, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15);
  *(bytes16 *)(p + 16) = __builtin_shufflevector(y, b, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15);
  *(bytes16 *)(p + 32) = __builtin_shufflevector(z, b, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31);
}

/// What is done to sixteen pixels.
#define PIXELWISE(body)                                             \
  for (size_t i = 0; i < count; i += 16) {                          \
    uint8_t rest[48] = {0};                                         \
    const size_t bytes = count - i < 16 ? 3 * (count - i) : 48;     \
    uint8_t *p = bytes < 48 ? memcpy(rest, at + 3 * i, bytes) : at + 3 * i; \
    pixels16 v;                                                     \
    split(p, &v);                                                   \
    body;                                                           \
    join(&v, p);                                                    \
    if (bytes < 48) memcpy(at + 3 * i, rest, bytes);                \
  }

/// Pillow's luma: ITU-R 601-2 in 16-bit fixed point.
INLINE void luma16(const pixels16 *v, ints *out) {
  *out = (TO(ints, v->r) * 19595 + TO(ints, v->g) * 38470 + TO(ints, v->b) * 7471 + 0x8000) >> 16;
}

/// `from` at 0, `to` at 1, clipped beyond, truncated.
INLINE void blend16(const ints *from, bytes16 *to, float factor) {
  floats value = TO(floats, *from) + factor * TO(floats, TO(ints, *to) - *from);
  value = CHOOSE(value > 0.0f, value, (floats)0.0f);
  value = CHOOSE(value < 255.0f, value, (floats)255.0f);
  *to = TO(bytes16, TO(ints, value));
}

VARIANTS void pmae_blend(uint8_t *at, size_t count, uint8_t from, float factor) {
  const ints grey = (ints)(int32_t)from;
  size_t i = 0;
  for (; i + 16 <= count; i += 16) blend16(&grey, (bytes16 *)(at + i), factor);
  if (i < count) {
    uint8_t rest[16] = {0};
    memcpy(rest, at + i, count - i);
    blend16(&grey, (bytes16 *)rest, factor);
    memcpy(at + i, rest, count - i);
  }
}

VARIANTS uint64_t pmae_luma_sum(const uint8_t *at, size_t count) {
  uint64_t total = 0;
  size_t i = 0;
  // The sums of a span, at most 255 a lane and step, fit into 32 bits.
  while (i + 16 <= count) {
    const size_t end = count - i > (1 << 20) ? i + (1 << 20) : count;
    ints sum = 0;
    for (; i + 16 <= end; i += 16) {
      pixels16 v;
      split(at + 3 * i, &v);
      ints luma;
      luma16(&v, &luma);
      sum += luma;
    }
    for (int l = 0; l < 16; l++) total += (uint32_t)sum[l];
  }
  for (; i < count; i++) {
    const uint8_t *p = at + 3 * i;
    total += (p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16;
  }
  return total;
}

VARIANTS void pmae_saturate(uint8_t *at, size_t count, float factor) {
  PIXELWISE({
    ints grey;
    luma16(&v, &grey);
    blend16(&grey, &v.r, factor);
    blend16(&grey, &v.g, factor);
    blend16(&grey, &v.b, factor);
  })
}

VARIANTS void pmae_grey(uint8_t *at, size_t count) {
  PIXELWISE({
    ints grey;
    luma16(&v, &grey);
    v.r = v.g = v.b = TO(bytes16, grey);
  })
}

VARIANTS void pmae_solarise(uint8_t *at, size_t count, uint8_t threshold) {
  for (size_t i = 0; i < count; i++) at[i] = at[i] < threshold ? at[i] : (uint8_t)(255 - at[i]);
}

VARIANTS void pmae_mirror(uint8_t *row, size_t width) {
  size_t left = 0, right = width;
  for (; left + 32 <= right; left += 16, right -= 16) {
    pixels16 a, b;
    split(row + 3 * left, &a);
    split(row + 3 * (right - 16), &b);
#define REVERSED(x) __builtin_shufflevector(x, x, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
    a = (pixels16){REVERSED(a.r), REVERSED(a.g), REVERSED(a.b)};
    b = (pixels16){REVERSED(b.r), REVERSED(b.g), REVERSED(b.b)};
    join(&b, row + 3 * left);
    join(&a, row + 3 * (right - 16));
  }
  for (; left + 1 < right; left++, right--)
    for (int c = 0; c < 3; c++) {
      const uint8_t value = row[3 * left + c];
      row[3 * left + c] = row[3 * (right - 1) + c];
      row[3 * (right - 1) + c] = value;
    }
}

/// The hue is of sixths of a circle; Pillow alternates between single and double precision, and so does this.
INLINE void turn16(pixels16 *v, uint8_t turn) {
  const ints r = TO(ints, v->r), g = TO(ints, v->g), b = TO(ints, v->b);
  ints high = CHOOSE(r > g, r, g), low = CHOOSE(r < g, r, g);
  high = CHOOSE(high > b, high, b);
  low = CHOOSE(low < b, low, b);
  const ints is_red = high == r, is_green = ~is_red & (high == g);
  // Not zero: what is grey stays as it is.
  const floats range = TO(floats, CHOOSE(high > low, high - low, (ints)1));
  const floats share = range / TO(floats, CHOOSE(high > 0, high, (ints)1));
  // High is red: blue minus green, from 0; green: red minus blue, from 2; blue: green minus red, from 4.
  const ints first = high - CHOOSE(is_red, b, CHOOSE(is_green, r, g));
  const ints second = high - CHOOSE(is_red, g, CHOOSE(is_green, b, r));
  const ints start = CHOOSE(is_red, (ints)0, CHOOSE(is_green, (ints)2, (ints)4));
  const doubles sixths = TO(doubles, start) + TO(doubles, TO(floats, first) / range) - TO(doubles, TO(floats, second) / range);
  // Pillow divides by 6; of all 2^24 colours none shows the difference.
  doubles circle = TO(doubles, TO(floats, sixths)) * (1.0 / 6.0) + 1.0;
  circle = CHOOSE(circle >= 1.0, circle - 1.0, circle);
  const ints hue = (TO(ints, TO(doubles, TO(floats, circle)) * 255.0) + (int32_t)turn) & 255;
  const ints saturation = TO(ints, TO(doubles, share) * 255.0);

  // Six times an 8-bit hue over 255 (2^23 / 255 is 32,896.5): the sixth, and how far into it.
  const ints sector = (6 * hue * 32897) >> 23;
  const floats fraction = TO(floats, 6 * hue - 255 * sector) / 255.0f;
  const floats s = TO(floats, saturation) / 255.0f;
  const doubles value = TO(doubles, high);
  const doubles is_far = TO(doubles, s * fraction);  // Pillow multiplies two floats here, and only then widens
  const doubles is_near = TO(doubles, s) * (1.0 - TO(doubles, fraction));
  const ints p = TO(ints, value * (1.0 - TO(doubles, s)) + 0.5);
  const ints q = TO(ints, value * (1.0 - is_far) + 0.5);
  const ints t = TO(ints, value * (1.0 - is_near) + 0.5);
  const ints between = CHOOSE((sector & 1) != 0, q, t);
  // Hue 255 is 0 again.
#define IN(i) (sector == i)
  const ints zero = IN(0) | IN(6), none = saturation == 0 | high == low;
  const ints red = CHOOSE(zero | IN(5) | none, high, CHOOSE(IN(1) | IN(4), between, p));
  const ints green = CHOOSE(IN(1) | IN(2) | none, high, CHOOSE(zero | IN(3), between, p));
  const ints blue = CHOOSE(IN(3) | IN(4) | none, high, CHOOSE(IN(2) | IN(5), between, p));
  v->r = TO(bytes16, red);
  v->g = TO(bytes16, green);
  v->b = TO(bytes16, blue);
}

VARIANTS void pmae_turn_hue(uint8_t *at, size_t count, uint8_t turn) { PIXELWISE(turn16(&v, turn)) }
