// What the kernels share: exp, GELU, and rounding to bfloat16.
#ifndef VECTOR_H
#define VECTOR_H
#include "CKernels.h"
#include <math.h>
#include <string.h>

/// exp(x + low) for a low that is small beside 1: returns a mantissa near 1 and two powers of two to multiply it by (two,
/// so that denormals and overflow come out right): x = n ln 2 + r, and a polynomial in r + low.
INLINE float exp_parts(float x, float low, float *scale1, float *scale2) {
  const float shifted = x * 1.44269504088896341f + 12582912.0f;  // rounds to an integer: 1.5 * 2^23
  const float n = shifted - 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f + low;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t e = (int32_t)(n == n ? n : 0.0f);
  const int32_t half = e >> 1;
  union { int32_t i; float f; } a = {(half + 127) << 23}, b = {(e - half + 127) << 23};
  *scale1 = a.f;
  *scale2 = b.f;
  return p;
}

/// exp within 1.1 ULP.
INLINE float exp1(float x) {
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  float scale1, scale2;
  const float mantissa = exp_parts(x, 0.0f, &scale1, &scale2);
  return mantissa * scale1 * scale2;
}

// Sixteen values, in as many registers as the instruction set needs.
typedef float sixteen __attribute__((ext_vector_type(16), aligned(4)));
typedef float eight __attribute__((ext_vector_type(8)));
typedef float eight_anywhere __attribute__((ext_vector_type(8), aligned(4)));
typedef float four __attribute__((ext_vector_type(4)));
typedef int32_t sixteen_bits __attribute__((ext_vector_type(16)));

/// The sum of 16 values, and below the greatest. By address: a vector as an argument would be passed differently by each
/// instruction set.
INLINE float total(const sixteen *x) {
  const eight x8 = x->lo + x->hi;
  const four x4 = x8.lo + x8.hi;
  return (x4.x + x4.y) + (x4.z + x4.w);
}

INLINE float highest(const sixteen *x) {
  const eight x8 = __builtin_elementwise_max(x->lo, x->hi);
  const four x4 = __builtin_elementwise_max(x8.lo, x8.hi);
  const float a = x4.x > x4.y ? x4.x : x4.y, b = x4.z > x4.w ? x4.z : x4.w;
  return a > b ? a : b;
}

/// *y = exp(*y), 16 values <= 0, within 1.1 ULP, zero below -87.3365, where the result would be denormal; NaN stays NaN. Half the
/// work of exp1: the power of two is added to the exponent's bits, which cannot overflow.
INLINE void exp_negative16(sixteen *at) {
  const sixteen x = *at;
  const sixteen_bits is_zero = x < -87.3365f;
  const sixteen low = is_zero ? (sixteen)-87.3365f : x;
  const sixteen shifted = low * 1.44269504088896341f + 12582912.0f;
  const sixteen n = shifted - 12582912.0f;
  sixteen r = low - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  sixteen p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  union { sixteen f; sixteen_bits i; } y = {p}, power = {shifted};
  y.i += power.i << 23;
  y.f = is_zero ? (sixteen)0.0f : y.f;
  *at = x == x ? y.f : x;
}

/// Mills' ratio of the normal distribution's upper tail over e^{-a²/2}, a ≥ 0: erfc(a / sqrt 2) / 2 · e^{a²/2}.
/// Times a + 2 it is a polynomial in (a - 2) / (a + 2): a minimax fit of relative error 3e-8 up to a = 15.
INLINE float tail_ratio(float a) {
  const float d = 1.0f / (a + 2.0f);
  const float u = (a - 2.0f) * d;
  float p = -7.81562558e-05f;
  p = p * u + 3.16447586e-05f;
  p = p * u + 0.000727559964f;
  p = p * u + 0.000880568172f;
  p = p * u - 0.00189343002f;
  p = p * u - 0.00674814545f;
  p = p * u - 0.000482238538f;
  p = p * u + 0.036720451f;
  p = p * u + 0.0287983213f;
  p = p * u - 0.331404448f;
  p = p * u + 0.672407985f;
  return p * d;
}

/// e^{-a²/2} as exp_parts gives it. a² is split into a square that is exact and a small rest: rounded, it would cost
/// up to a²/2 units in the last place.
INLINE float density_parts(float a, float *scale1, float *scale2) {
  union { float f; uint32_t u; } top = {a};
  top.u &= 0xFFFFF000u;  // 12 bits
  const float rest = (a - top.f) * (a + top.f);
  return exp_parts(-0.5f * (top.f * top.f), -0.5f * rest, scale1, scale2);
}

/// |x|, at most 15, where the tail is zero in float32; NaN stays.
INLINE float tail_argument(float x) {
  const float a = x > 0 ? x : -x;
  return a > 15.0f ? 15.0f : a;
}

/// GELU x Φ(x): -a Q(a) on the left, where it keeps its relative precision down to the denormals, x - x Q(x) on the
/// right. Within 6 ULP; infinities give the limits (-0 on the left).
INLINE float gelu1(float x) {
  const float a = tail_argument(x);
  float scale1, scale2;
  const float density = density_parts(a, &scale1, &scale2);
  const float lost = a * tail_ratio(a) * density * scale1 * scale2;
  return x < 0 ? -lost : x - lost;
}

/// GELU's derivative Φ(x) + x φ(x), which is one minus its mirror image. Within 5 ULP outside [-2, 0] and 2e-7 inside,
/// where it crosses zero.
INLINE float gelu_slope1(float x) {
  const float a = tail_argument(x);
  float scale1, scale2;
  const float density = density_parts(a, &scale1, &scale2);
  const float left = (tail_ratio(a) - a * 0.39894228040143268f) * density * scale1 * scale2;
  return x < 0 ? left : 1.0f - left;
}

/// What GELU and its slope share, for results that are rounded to bfloat16: fits of relative error 3e-5 (the tail's ratio) and
/// 8e-5 (exp), together a fortieth of that rounding.
INLINE void near_tail(float x, float *a, float *ratio, float *density) {
  *a = x > 0 ? x : -x;
  *a = *a > 13.2f ? 13.2f : *a;  // NaN stays; beyond, the density is no normal number
  const float d = 1.0f / (*a + 2.0f), u = (*a - 2.0f) * d;
  float p = -0.004826710093766451f;
  p = p * u - 0.0018526449566707015f;
  p = p * u + 0.035767145454883575f;
  p = p * u + 0.029128987342119217f;
  p = p * u - 0.3312987685203552f;
  p = p * u + 0.6723941564559937f;
  *ratio = p * d;
  const float exponent = -0.72134752044f * *a * *a;  // base 2
  const float shifted = exponent + 12582912.0f;
  const float r = (exponent - (shifted - 12582912.0f)) * 0.69314718056f;
  union { float f; uint32_t u; } y = {((0.1656688004732132f * r + 0.5049640536308289f) * r + 1.0001641511917114f) * r + 0.9999280571937561f}, power = {shifted};
  y.u += power.u << 23;
  *density = y.f;
}

/// GELU within 2e-4 of its size; NaN stays.
INLINE float near_gelu1(float x) {
  float a, ratio, density;
  near_tail(x, &a, &ratio, &density);
  const float lost = a * ratio * density;
  return x < 0 ? -lost : x == x ? x - lost : x;
}

/// GELU's derivative within 2e-4; NaN stays.
INLINE float near_gelu_slope1(float x) {
  float a, ratio, density;
  near_tail(x, &a, &ratio, &density);
  const float left = (ratio - a * 0.39894228040143268f) * density;
  return x < 0 ? left : x == x ? 1.0f - left : x;
}

/// The nearest bfloat16's bits; of two that are equally near the one with an even last bit. Integer arithmetic, so denormals
/// are kept whatever the processor's mode; a NaN stays one, made quiet, where rounding could carry it into infinity.
INLINE uint16_t bfloat16(float x) {
  union { float f; uint32_t u; } v = {x};
  const uint32_t rounded = v.u + 0x7FFFu + (v.u >> 16 & 1u);
  const uint32_t quiet = v.u | 0x400000u;
  return (uint16_t)(((v.u & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded) >> 16);
}

INLINE float from_bfloat16(uint16_t x) {
  union { uint32_t u; float f; } v = {(uint32_t)x << 16};
  return v.f;
}
#endif
