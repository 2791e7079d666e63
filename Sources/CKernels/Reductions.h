// What kernels over a row share: its maximum, its sum, and the product of two rows.
#ifndef REDUCTIONS_H
#define REDUCTIONS_H
#include "Vector.h"

/// In lanes of its own making: the compiler must not assume that there is no NaN, so it would not split this itself.
INLINE float maximum(const float *x, size_t n) {
  float lanes[32];
  for (int l = 0; l < 32; l++) lanes[l] = -INFINITY;
  size_t i = 0;
  for (; i + 32 <= n; i += 32)
    for (int l = 0; l < 32; l++) lanes[l] = x[i + l] > lanes[l] ? x[i + l] : lanes[l];
  float m = -INFINITY;
  for (int l = 0; l < 32; l++) m = lanes[l] > m ? lanes[l] : m;
  for (; i < n; i++) m = x[i] > m ? x[i] : m;
  return m;
}

INLINE float sum(const float *x, size_t n) {
  LANES
  float s = 0;
  for (size_t i = 0; i < n; i++) s += x[i];
  return s;
}

INLINE float dot(const float *x, const float *y, size_t n) {
  LANES
  float s = 0;
  for (size_t i = 0; i < n; i++) s += x[i] * y[i];
  return s;
}
#endif
