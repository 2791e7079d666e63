// What the kernels share: several builds of one function, and exp.
#ifndef VECTOR_H
#define VECTOR_H
#include "CKernels.h"
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#define VARIANTS __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define VARIANTS
#endif
// Sums may be split into lanes; nothing else of fast-math is allowed, so NaN and infinity keep their meaning.
#define LANES _Pragma("clang fp reassociate(on)")
#define INLINE static inline __attribute__((always_inline))

/// exp within 2 ULP: x = n ln 2 + r, a polynomial in r, and the power of two by its bits in two halves, so that
/// denormals and overflow come out right.
INLINE float exp1(float x) {
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  const float shifted = x * 1.44269504088896341f + 12582912.0f;  // rounds to an integer: 1.5 * 2^23
  const float n = shifted - 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
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
  return p * a.f * b.f;
}

/// The upper tail of the normal distribution Q(|x|) = erfc(|x| / sqrt 2) / 2 times e^{x²/2}: a rational Chebyshev fit
/// (Numerical Recipes' erfcc, fractional error below 1.2e-7 everywhere).
INLINE float tail_scaled(float a) {
  const float z = a * 0.70710678118654752f;
  const float t = 1.0f / (1.0f + 0.5f * z);
  float p = 0.17087277f;
  p = p * t - 0.82215223f;
  p = p * t + 1.48851587f;
  p = p * t - 1.13520398f;
  p = p * t + 0.27886807f;
  p = p * t - 0.18628806f;
  p = p * t + 0.09678418f;
  p = p * t + 0.37409196f;
  p = p * t + 1.00002368f;
  p = p * t - 1.26551223f;
  return 0.5f * t * exp1(p);
}

/// GELU and its derivative; q is the tail beyond |x|, so that the left side keeps its relative precision.
INLINE float gelu1(float x) {
  const float a = x < 0 ? -x : x;
  const float q = tail_scaled(a) * exp1(-0.5f * x * x);
  return x * (x < 0 ? q : 1.0f - q);
}
INLINE float gelu_slope1(float x) {
  const float a = x < 0 ? -x : x;
  const float density = exp1(-0.5f * x * x);
  const float q = tail_scaled(a) * density;
  return (x < 0 ? q : 1.0f - q) + x * 0.39894228040143268f * density;
}
#endif
