#include "CPNG.h"

#include "Reader.h"

#include <string.h>

static void fail(png_structp png, png_const_charp text) {
  reader *reader = png_get_error_ptr(png);
  if (reader->height > 0 && reader->row < reader->height)
    snprintf(reader->message, CPNG_MESSAGE_SIZE, "row %zu of %zu: %s", reader->row, reader->height, text);
  else
    snprintf(reader->message, CPNG_MESSAGE_SIZE, "%s", text);
  longjmp(reader->escape, 1);
}

// Warnings are about what does not change a pixel: odd metadata, bytes left over.
void cpng_ignore(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  reader *reader = png_get_io_ptr(png);
  if (count > reader->size - reader->position) {
    reader->ended = 1;
    png_error(png, "the file ends too early");
  }
  memcpy(out, reader->data + reader->position, count);
  reader->position += count;
}

void cpng_destroy(reader *reader) { png_destroy_read_struct(&reader->png, &reader->info, NULL); }

// Reads the header. May jump, as all that follows.
void cpng_open(reader *reader, const uint8_t *data, size_t size, char *message) {
  reader->data = data;
  reader->size = size;
  reader->message = message;
  reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, fail, cpng_ignore);
  if (reader->png) reader->info = png_create_info_struct(reader->png);
  if (!reader->info) {
    snprintf(message, CPNG_MESSAGE_SIZE, "no memory");
    longjmp(reader->escape, 1);
  }
  png_set_read_fn(reader->png, reader, read_bytes);
  // The caller has a limit of its own, on pixels.
  png_set_user_limits(reader->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  // A wrong checksum is an error in every chunk; otherwise libpng would leave out those that it can do without.
  png_set_crc_action(reader->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  // Colour profiles, text and transparency are not used, so they are not unpacked. libpng reads past them and checks
  // their checksums.
  png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "tRNS", 1);
  png_read_info(reader->png, reader->info);
}

int cpng_read_header(const uint8_t *data, size_t size, cpng_header *header, char message[CPNG_MESSAGE_SIZE]) {
  reader reader;
  memset(&reader, 0, sizeof reader);
  if (setjmp(reader.escape)) {
    cpng_destroy(&reader);
    return 1;
  }
  cpng_open(&reader, data, size, message);
  header->width = png_get_image_width(reader.png, reader.info);
  header->height = png_get_image_height(reader.png, reader.info);
  header->bits = png_get_bit_depth(reader.png, reader.info);
  header->colour = png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_COLOR ? 1 : 0;
  header->has_palette = png_get_color_type(reader.png, reader.info) == PNG_COLOR_TYPE_PALETTE;
  header->has_alpha = png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_ALPHA ? 1 : 0;
  header->pixel_bits = header->bits * png_get_channels(reader.png, reader.info);
  cpng_destroy(&reader);
  return 0;
}

// Whether a file that ends too early lacks nothing but its end chunk, or a part of that.
static int lacks_end_alone(const reader *reader) {
  size_t at = 8, rest = reader->size - at;
  while (rest >= 12) {
    const uint8_t *chunk = reader->data + at;
    size_t length = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
    if (length > rest - 12) break;
    at += length + 12;
    rest -= length + 12;
  }
  static const uint8_t end[12] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
  return rest < sizeof end && memcmp(reader->data + at, end, rest) == 0;
}

// Reads on after the pixels, to the end chunk. Returns 1 where all is well. An end chunk that is cut off is well too:
// other programs show such a picture, and it lacks no pixel. Sets the escape anew, since an error must no longer jump
// to the one that was set before.
int cpng_read_end(reader *reader) {
  if (setjmp(reader->escape)) return reader->ended && lacks_end_alone(reader);
  png_read_end(reader->png, reader->info);
  return 1;
}

int cpng_decode(const uint8_t *data, size_t size, uint8_t *out, size_t out_size, char message[CPNG_MESSAGE_SIZE]) {
  reader reader;
  memset(&reader, 0, sizeof reader);
  if (setjmp(reader.escape)) {
    cpng_destroy(&reader);
    return 1;
  }
  cpng_open(&reader, data, size, message);
  png_structp png = reader.png;
  png_infop info = reader.info;
  png_colorp colours = NULL;
  int count = 0;
  int has_palette = png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE;
  if (has_palette) {
    // libpng would expand indices too, and give those that have no colour black.
    png_set_packing(png);
    png_get_PLTE(png, info, &colours, &count);
  } else {
    png_set_expand(png); // to 8 bits
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
  }
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t width = png_get_image_width(png, info);
  size_t height = png_get_image_height(png, info);
  size_t row_bytes = has_palette ? width : 3 * width;
  if (png_get_rowbytes(png, info) != row_bytes || 3 * width * height != out_size) png_error(png, "not the size that its header says");
  // Indices stand at the end of their row, from where they are expanded in place.
  uint8_t *first = out + 3 * width - row_bytes;
  reader.height = height;
  for (int pass = 0; pass < passes; pass++)
    for (reader.row = 0; reader.row < height; reader.row++) png_read_row(png, first + 3 * width * reader.row, NULL);
  if (!cpng_read_end(&reader)) {
    cpng_destroy(&reader);
    return 1;
  }
  for (size_t y = 0; has_palette && y < height; y++) {
    uint8_t *row = out + 3 * width * y;
    for (size_t x = 0; x < width; x++) {
      int index = row[2 * width + x];
      if (index >= count) {
        snprintf(message, CPNG_MESSAGE_SIZE, "a pixel of colour %d: its palette has %d", index, count);
        cpng_destroy(&reader);
        return 1;
      }
      row[3 * x] = colours[index].red;
      row[3 * x + 1] = colours[index].green;
      row[3 * x + 2] = colours[index].blue;
    }
  }
  cpng_destroy(&reader);
  return 0;
}
