#ifdef PMAE_TIFF

#include "Source.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// libtiff's handlers belong to the whole process. Their argument says which file it is.
static void keep(thandle_t handle, const char *format, va_list arguments) {
  ctiff_source *source = (ctiff_source *)handle;
  if (source && !source->said[0]) vsnprintf(source->said, sizeof source->said, format, arguments);
}

static void hear_error(thandle_t handle, const char *module, const char *format, va_list arguments) {
  (void)module;
  keep(handle, format, arguments);
}

// Warnings about the directory are about odd or unknown tags. The values of the tags that matter are checked here.
static void hear_warning(thandle_t handle, const char *module, const char *format, va_list arguments) {
  (void)module;
  ctiff_source *source = (ctiff_source *)handle;
  if (!source || !source->reads_pixels) return;
  char text[CTIFF_MESSAGE_SIZE];
  va_list copy;
  va_copy(copy, arguments);
  vsnprintf(text, sizeof text, format, copy);
  va_end(copy);
  if (strstr(text, "extraneous bytes before marker")) return;
  keep(handle, format, arguments);
}

static void hear(void) {
  TIFFSetErrorHandler(NULL);
  TIFFSetWarningHandler(NULL);
  TIFFSetErrorHandlerExt(hear_error);
  TIFFSetWarningHandlerExt(hear_warning);
}

static tmsize_t read_bytes(thandle_t handle, void *out, tmsize_t count) {
  ctiff_source *source = (ctiff_source *)handle;
  if (count < 0 || source->position > source->size) return 0;
  size_t rest = source->size - source->position, taken = (size_t)count < rest ? (size_t)count : rest;
  memcpy(out, source->data + source->position, taken);
  source->position += taken;
  return (tmsize_t)taken;
}

static tmsize_t write_bytes(thandle_t handle, void *bytes, tmsize_t count) {
  (void)handle, (void)bytes, (void)count;
  return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  ctiff_source *source = (ctiff_source *)handle;
  source->position = (size_t)(offset + (whence == SEEK_CUR ? source->position : whence == SEEK_END ? source->size : 0));
  return source->position;
}

static int close_source(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size_of(thandle_t handle) { return ((ctiff_source *)handle)->size; }

// The file is in memory already: libtiff reads it there.
static int map(thandle_t handle, void **base, toff_t *size) {
  ctiff_source *source = (ctiff_source *)handle;
  *base = (void *)source->data;
  *size = source->size;
  return 1;
}

static void unmap(thandle_t handle, void *base, toff_t size) { (void)handle, (void)base, (void)size; }

TIFF *ctiff_open(ctiff_source *source, const uint8_t *data, size_t size) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, hear);
  memset(source, 0, sizeof *source);
  source->data = data;
  source->size = size;
  // r: for reading; m would forbid the map.
  return TIFFClientOpen("picture", "r", (thandle_t)source, read_bytes, write_bytes, seek, close_source, size_of, map, unmap);
}

#endif
