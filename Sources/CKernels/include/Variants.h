// How one function is built for several instruction sets, the best of which is chosen when the program is loaded.
#ifndef VARIANTS_H
#define VARIANTS_H

// ThreadSanitizer is not there yet when the program is loaded: what chooses would stop it.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ONE_VARIANT
#endif
#endif

#if defined(__x86_64__) && !defined(ONE_VARIANT)
#define VARIANTS __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define VARIANTS
#endif
// Sums may be split into lanes; nothing else of fast-math is allowed, so NaN and infinity keep their meaning.
#define LANES _Pragma("clang fp reassociate(on)")
#define INLINE static inline __attribute__((always_inline))
#endif
