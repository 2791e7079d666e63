// Matrix products from packed panels: one build for each instruction set that they are worth it on, chosen at run time.
#include "Vector.h"

// Products that are summed before the sums go to memory, and values of b that are used again from the second cache.
#define DEPTH 512
#define CACHED 131072
#define QUOTED_(x) #x
#define QUOTED(x) QUOTED_(x)

#if defined(__x86_64__)
#define WIDTH 16
#define HEIGHT 12
#define NAME(x) avx512##x
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#include "Multiply.h"

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
#else
const pmae_multiplier *pmae_multipliers(size_t place) {
  (void)place;
  return NULL;
}
#endif
