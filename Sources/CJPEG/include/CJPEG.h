// libjpeg reports errors by a function that must not return: it needs setjmp, which Swift cannot call. This shim wraps whole
// operations, so that no jump ever crosses a Swift frame.
#ifndef PMAE_CJPEG_H
#define PMAE_CJPEG_H

#include <stddef.h>
#include <stdint.h>

enum { CJPEG_MESSAGE_SIZE = 256 };

// What the functions return, 0 where all went well; the reason is in message.
enum {
  CJPEG_DAMAGED = 1,
  // Whole, perhaps, but of a kind that is not read: 12 bits, lossless, hierarchical.
  CJPEG_UNKNOWN_KIND = 2
};

typedef struct {
  int32_t width;
  int32_t height;
  int32_t components;  // as stored: 1 grey, 3 colour, 4 CMYK or YCCK
  int32_t progressive; // 0 or 1
  int32_t arithmetic;  // 0 (Huffman) or 1
} cjpeg_header;

// Reads a JPEG file's header from memory.
int cjpeg_read_header(const uint8_t *data, size_t size, cjpeg_header *header, char message[CJPEG_MESSAGE_SIZE]);

// A rectangle of whole pixels.
typedef struct {
  int32_t top;
  int32_t left;
  int32_t height;
  int32_t width;
} cjpeg_box;

// Decodes a JPEG file from memory, to height x width x channels bytes at out.
// channels: 1 writes grey (from a grey or a YCbCr file); 3 writes RGB; 4 writes the four components of a CMYK or YCCK file as CMYK,
// as they are stored. Damage is libjpeg's errors in front of the last pixel, and those of its warnings that say that pixels are missing
// or wrong; the message says which rows. What is at out is then undefined.
// part: NULL, or a rectangle inside the picture. Its pixels are then at their places in the picture, the same bits that decoding all
// of it gives; what else is at out is undefined. What comes after it in the file is not read: damage there is not seen.
int cjpeg_decode(const uint8_t *data, size_t size, int32_t channels, const cjpeg_box *part, uint8_t *out, size_t out_size,
                 char message[CJPEG_MESSAGE_SIZE]);

// The most bytes that cjpeg_encode writes for such a picture.
size_t cjpeg_encoded_bound(int32_t height, int32_t width);

// Encodes height x width x 3 bytes of RGB as a baseline JPEG file at out, 4:2:0, with Huffman tables made for it; its size goes to
// size. grey: 1 stores the luminance alone. quality: 1 to 100, libjpeg's scale.
int cjpeg_encode(const uint8_t *pixels, int32_t height, int32_t width, int32_t grey, int32_t quality, uint8_t *out, size_t capacity,
                 size_t *size, char message[CJPEG_MESSAGE_SIZE]);

#endif
