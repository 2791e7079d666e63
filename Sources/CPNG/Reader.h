// Reading a PNG file from memory, shared by what makes pixels of it and what makes class ids of it.
#ifndef PMAE_CPNG_READER_H
#define PMAE_CPNG_READER_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <png.h>

typedef struct {
  png_structp png;
  png_infop info;
  const uint8_t *data;
  size_t size;
  size_t position;
  char *message;
  // More bytes were expected than there are.
  int ended;
  // What is being read, of how many; 0 and 0 before and after the pixels.
  size_t row;
  size_t height;
  jmp_buf escape;
} reader;

// What is done with a warning: nothing.
void cpng_ignore(png_structp png, png_const_charp text);

// Reads the header. Sets reader->escape to be jumped to by this and all that follows.
void cpng_open(reader *reader, const uint8_t *data, size_t size, char *message);

// Reads on after the pixels, to the end chunk. Returns 1 where all is well.
int cpng_read_end(reader *reader);

void cpng_destroy(reader *reader);

#endif
