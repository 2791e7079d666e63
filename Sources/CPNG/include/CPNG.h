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
  int32_t has_palette;
  int32_t has_alpha;
  int32_t pixel_bits;
} cpng_header;

// Reads a PNG file's header from memory, as far as the first pixel data. Returns 0, or 1 with libpng's reason in message.
int cpng_read_header(const uint8_t *data, size_t size, cpng_header *header, char message[CPNG_MESSAGE_SIZE]);

// Decodes a whole PNG file from memory, to height x width x 3 bytes of RGB at out. Grey and palette become RGB, of 16 bits the
// upper 8 are kept, alpha and transparent colours are dropped. Returns 0, or 1 with a reason in message: libpng's errors with
// the row, a wrong checksum in any chunk, a chunk that is cut short, and indices past the palette's end. What is at out is then
// undefined. An end chunk that is missing is no error: it holds nothing.
int cpng_decode(const uint8_t *data, size_t size, uint8_t *out, size_t out_size, char message[CPNG_MESSAGE_SIZE]);

// Decodes a PNG file of grey samples or palette indices of at most 8 bits to height x width bytes at out: their numbers as they are.
// Returns as cpng_decode does. An index past the palette's end is no error: it is a number as any other.
int cpng_decode_ids(const uint8_t *data, size_t size, uint8_t *out, size_t out_size, char message[CPNG_MESSAGE_SIZE]);

// Writes a PNG file of 8 bits a sample: RGB of 3 channels, grey of 1, or indices of 1 with a palette of 256 colours, 3 bytes each, or
// NULL. *out is the file's *out_size bytes, to be freed. Returns 0, or 1 with a reason in message.
int cpng_encode(const uint8_t *pixels, size_t height, size_t width, size_t channels, const uint8_t *palette, uint8_t **out, size_t *out_size, char message[CPNG_MESSAGE_SIZE]);

#endif
