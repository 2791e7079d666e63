// A TIFF file that is read from memory, and what libtiff has said about it.
#ifndef PMAE_CTIFF_SOURCE_H
#define PMAE_CTIFF_SOURCE_H

#include "CTIFF.h"

#include <tiffio.h>

typedef struct {
  const uint8_t *data;
  size_t size;
  size_t position;
  // libtiff's first error, or the first warning while pixels are read that tells of missing ones; empty where there is none.
  char said[CTIFF_MESSAGE_SIZE];
  int reads_pixels;
} ctiff_source;

// Opens the file at its first picture. NULL where it is no TIFF file or its directory is damaged; the reason is in source->said.
TIFF *ctiff_open(ctiff_source *source, const uint8_t *data, size_t size);

#endif
