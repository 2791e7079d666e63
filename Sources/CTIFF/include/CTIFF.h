// libtiff's functions take arguments that vary, which Swift cannot pass, and report errors and warnings by functions of C. This shim wraps
// whole operations. Without PMAE_TIFF it is empty.
#ifndef PMAE_CTIFF_H
#define PMAE_CTIFF_H

#include <stddef.h>
#include <stdint.h>

enum { CTIFF_MESSAGE_SIZE = 256 };

// What the functions return, 0 where all went well; the reason is in message.
enum {
  CTIFF_DAMAGED = 1,
  // Whole, perhaps, but of a kind that is not read.
  CTIFF_UNKNOWN_KIND = 2
};

typedef struct {
  uint32_t width;
  uint32_t height;
  int32_t bits;        // a sample, 1 to 16
  int32_t samples;     // a pixel
  int32_t grey;        // 0 or 1
  int32_t orientation; // as EXIF counts; 0 where the file does not say
  uint32_t densest;    // so many bytes of pixels, at most, come out of a byte of the file
} ctiff_header;

// Reads the header of the first picture of a TIFF file in memory, of the kinds that ctiff_decode takes.
int ctiff_read_header(const uint8_t *data, size_t size, ctiff_header *header, char message[CTIFF_MESSAGE_SIZE]);

// Decodes the first picture of a TIFF file in memory to height x width x 3 bytes of RGB at out, as it is stored. Grey with black or white
// as zero, RGB, palettes, CMYK and YCbCr; samples of 1 to 16 bits, of which the upper 8 are kept; strips and tiles, samples together
// and apart; every compression that libtiff was built with, but the old JPEG. Alpha is dropped; colours that were multiplied by it are
// divided by it first. All as Pillow does. Errors of libtiff are damage, and its warnings while pixels are read too, but for those about
// bytes between two markers of a JPEG strip; the message says at which row. What is at out is then undefined.
int ctiff_decode(const uint8_t *data, size_t size, uint8_t *out, size_t out_size, char message[CTIFF_MESSAGE_SIZE]);

// How many pictures a TIFF file in memory has, up to limit: thumbnails and masks of others do not count. 0 where it cannot be read.
uint32_t ctiff_pictures(const uint8_t *data, size_t size, uint32_t limit);

#endif
