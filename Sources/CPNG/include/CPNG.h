// libpng reports errors by a function that must not return: it needs setjmp, which Swift cannot call. This shim wraps whole
// operations, so that no jump ever crosses a Swift frame.
#ifndef PMAE_CPNG_H
#define PMAE_CPNG_H

#include <stddef.h>
#include <stdint.h>

enum { CPNG_MESSAGE_SIZE = 256 };

typedef struct {
  uint32_t width;
  uint32_t height;
  int32_t bits;   // a sample: 1, 2, 4, 8 or 16
  int32_t colour; // 0 or 1
  int32_t pixel_bits;
} cpng_header;

// Reads a PNG file's header from memory, as far as the first pixel data. Returns 0, or 1 with libpng's reason in message.
int cpng_read_header(const uint8_t *data, size_t size, cpng_header *header, char message[CPNG_MESSAGE_SIZE]);

// Decodes a whole PNG file from memory, to height x width x 3 bytes of RGB at out. Grey and palette become RGB, of 16 bits the
// upper 8 are kept, alpha and transparent colours are dropped. Returns 0, or 1 with a reason in message: libpng's errors with
// the row, a wrong checksum in any chunk, a chunk that is cut short, and indices past the palette's end. What is at out is then
// undefined. An end chunk that is missing is no error: it holds nothing.
int cpng_decode(const uint8_t *data, size_t size, uint8_t *out, size_t out_size, char message[CPNG_MESSAGE_SIZE]);

#endif
