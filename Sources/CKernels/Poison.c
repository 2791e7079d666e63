// Marks memory for AddressSanitizer that was released and not given back to the system. In builds without it, nothing.
#include "CKernels.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#include <sanitizer/asan_interface.h>
#endif
#endif

#ifdef SANITIZED
int pmae_has_address_sanitizer(void) { return 1; }
void pmae_poison(const void *start, size_t bytes) { __asan_poison_memory_region(start, bytes); }
void pmae_unpoison(const void *start, size_t bytes) { __asan_unpoison_memory_region(start, bytes); }
#else
int pmae_has_address_sanitizer(void) { return 0; }
void pmae_poison(const void *start, size_t bytes) { (void)start, (void)bytes; }
void pmae_unpoison(const void *start, size_t bytes) { (void)start, (void)bytes; }
#endif
