// Matrix products from packed panels: one build for each instruction set that they are worth it on, chosen at run time.
#include "Vector.h"

// Products that are summed before the sums go to memory, and values of b that are used again from the second cache.
#define DEPTH 512
#define CACHED 131072
#define QUOTED_(x) #x
#define QUOTED(x) QUOTED_(x)

#if defined(__x86_64__)
#include <immintrin.h>
#define ADD_PRODUCT(sum, x, b) ((x) * (b) + (sum))
#define WIDTH 16
#define HEIGHT 12
#define NAME(x) avx512##x
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#include "Multiply.h"

// Pairs of bfloat16: two products a value and an addition each, rounded to nearest, denormals taken for zero.
#define ADD_PRODUCT(sum, x, b) \
  ((VECTOR)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(b), (__m512bh)_mm512_set1_ps(x)))
#define WIDTH 16
#define HEIGHT 12
#define NAME(x) avx512bf16##x
#define TARGET __attribute__((target("avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#include "Multiply.h"

#define ADD_PRODUCT(sum, x, b) ((x) * (b) + (sum))
#define WIDTH 8
#define HEIGHT 6
#define NAME(x) avx2##x
#define TARGET __attribute__((target("avx2,fma")))
#include "Multiply.h"

const pmae_multiplier *pmae_multipliers(size_t place) {
  __builtin_cpu_init();
  const pmae_multiplier *found[2];
  size_t count = 0;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    found[count++] = &avx512multiplier;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found[count++] = &avx2multiplier;
  return place < count ? found[place] : NULL;
}

const pmae_multiplier *pmae_pair_multiplier(void) {
  __builtin_cpu_init();
  // Where there are matrix registers (AMX), oneDNN uses them.
  return __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_supports("amx-bf16") ? &avx512bf16multiplier : NULL;
}
#else
const pmae_multiplier *pmae_pair_multiplier(void) { return NULL; }

const pmae_multiplier *pmae_multipliers(size_t place) {
  (void)place;
  return NULL;
}
#endif

VARIANTS void pmae_pack_pairs(const uint16_t *x, size_t stride, size_t rows, size_t columns, size_t panel,
                              size_t spacing, float *packed) {
  uint32_t *out = (uint32_t *)packed;
  for (size_t r = 0; r < rows; r += 2, out += panel) {
    const uint16_t *low = x + r * stride, *high = low + stride;
    for (size_t j = 0; j < columns; j += panel, low += panel, high += panel) {
      const size_t width = columns - j < panel ? columns - j : panel;
      uint32_t *to = out + j / panel * spacing;
      if (r + 1 < rows)
        for (size_t q = 0; q < width; q++) to[q] = low[q] | (uint32_t)high[q] << 16;
      else
        for (size_t q = 0; q < width; q++) to[q] = low[q];
      for (size_t q = width; q < panel; q++) to[q] = 0;
    }
  }
}
