// bfloat16: the upper half of a float32.
#include "Vector.h"

VARIANTS void pmae_to_bfloat16(const float *x, uint16_t *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = bfloat16(x[i]);
}

VARIANTS void pmae_from_bfloat16(const uint16_t *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = from_bfloat16(x[i]);
}
