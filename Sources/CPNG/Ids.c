// Maps of class ids: a PNG file's samples or palette indices as they are, and files of them; and files of RGB pixels.
#include "CPNG.h"
#include "Reader.h"

#include <stdlib.h>
#include <string.h>

int cpng_decode_ids(const uint8_t *data, size_t size, uint8_t *out, size_t out_size, char message[CPNG_MESSAGE_SIZE]) {
  reader reader;
  memset(&reader, 0, sizeof reader);
  if (setjmp(reader.escape)) {
    cpng_destroy(&reader);
    return 1;
  }
  cpng_open(&reader, data, size, message);
  png_structp png = reader.png;
  png_infop info = reader.info;
  int colour = png_get_color_type(png, info);
  if (png_get_bit_depth(png, info) > 8 || (colour != PNG_COLOR_TYPE_PALETTE && colour != PNG_COLOR_TYPE_GRAY))
    png_error(png, "not ids of 8 bits");
  // A byte for each pixel, whose value stays as it is.
  png_set_packing(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t width = png_get_image_width(png, info);
  size_t height = png_get_image_height(png, info);
  if (png_get_rowbytes(png, info) != width || width * height != out_size) png_error(png, "not the size that its header says");
  reader.height = height;
  for (int pass = 0; pass < passes; pass++)
    for (reader.row = 0; reader.row < height; reader.row++) png_read_row(png, out + width * reader.row, NULL);
  int is_whole = cpng_read_end(&reader);
  cpng_destroy(&reader);
  return !is_whole;
}

typedef struct {
  uint8_t *bytes;
  size_t size;
  size_t capacity;
  char *message;
  jmp_buf escape;
} writer;

static void fail(png_structp png, png_const_charp text) {
  writer *writer = png_get_error_ptr(png);
  snprintf(writer->message, CPNG_MESSAGE_SIZE, "%s", text);
  longjmp(writer->escape, 1);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  writer *writer = png_get_io_ptr(png);
  if (count > writer->capacity - writer->size) {
    size_t wanted = 2 * (writer->size + count);
    uint8_t *more = realloc(writer->bytes, wanted);
    if (!more) png_error(png, "no memory");
    writer->bytes = more;
    writer->capacity = wanted;
  }
  memcpy(writer->bytes + writer->size, bytes, count);
  writer->size += count;
}

static void flush(png_structp png) { (void)png; }

int cpng_encode(const uint8_t *pixels, size_t height, size_t width, size_t channels, const uint8_t *palette, uint8_t **out, size_t *out_size, char message[CPNG_MESSAGE_SIZE]) {
  writer writer;
  memset(&writer, 0, sizeof writer);
  writer.message = message;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, fail, cpng_ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    snprintf(message, CPNG_MESSAGE_SIZE, "no memory");
    png_destroy_write_struct(&png, NULL);
    return 1;
  }
  if (setjmp(writer.escape)) {
    png_destroy_write_struct(&png, &info);
    free(writer.bytes);
    return 1;
  }
  png_set_write_fn(png, &writer, write_bytes, flush);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  int colour = channels == 3 ? PNG_COLOR_TYPE_RGB : palette ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_GRAY;
  png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8, colour, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_color colours[256];
  if (colour == PNG_COLOR_TYPE_PALETTE) {
    for (int i = 0; i < 256; i++) {
      colours[i].red = palette[3 * i];
      colours[i].green = palette[3 * i + 1];
      colours[i].blue = palette[3 * i + 2];
    }
    png_set_PLTE(png, info, colours, 256);
  }
  // Differences of ids mean nothing, and filters make maps of them larger.
  if (channels == 1) png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
  png_write_info(png, info);
  for (size_t y = 0; y < height; y++) png_write_row(png, pixels + y * width * channels);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  *out = writer.bytes;
  *out_size = writer.size;
  return 0;
}
