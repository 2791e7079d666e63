#ifdef PMAE_TIFF

#include "CTIFF.h"
#include "Rows.h"
#include "Source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// More samples a pixel are a measurement, not a picture.
enum { MAX_SAMPLES = 16 };

static int answer(int outcome, char *message, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, CTIFF_MESSAGE_SIZE, format, arguments);
  va_end(arguments);
  return outcome;
}

// Bytes of pixels from a byte of the file, at most. What a few bytes claim must not become memory.
static uint32_t densest(uint16_t compression) {
  switch (compression) {
  case COMPRESSION_NONE: return 1;
  case COMPRESSION_PACKBITS: return 64;
  case COMPRESSION_LZW: return 4096; // a string of the table, by a code of 9 bits or more
  case COMPRESSION_ADOBE_DEFLATE:
  case COMPRESSION_DEFLATE: return 1032;
  case COMPRESSION_JPEG: return 4096; // two bits a block of 64 pixels, of at most 16 samples
  default: return 1 << 16;
  }
}

// What the first directory says of the pixels, checked.
static int describe(TIFF *tiff, ctiff_layout *layout, ctiff_header *header, char *message) {
  uint16_t bits, samples, photometric, planar, compression, format, orientation = 0, extras = 0, *extra = NULL, inks = INKSET_CMYK;
  uint32_t kind = 0;
  if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &header->width) || !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &header->height))
    return answer(CTIFF_DAMAGED, message, "its directory has no width or no height");
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extras, &extra);
  TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind);
  TIFFGetField(tiff, TIFFTAG_ORIENTATION, &orientation);
  if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric)) photometric = PHOTOMETRIC_MINISWHITE; // as Pillow has it
  if (kind & FILETYPE_REDUCEDIMAGE)
    return answer(CTIFF_UNKNOWN_KIND, message,
                  "its first picture is a thumbnail, as in raw photographs of cameras: develop it to JPEG first");
  if (photometric == PHOTOMETRIC_CFA || photometric == 34892)
    return answer(CTIFF_UNKNOWN_KIND, message, "a raw photograph of a camera: develop it to JPEG first");
  if (compression == COMPRESSION_OJPEG)
    return answer(CTIFF_UNKNOWN_KIND, message, "JPEG compression of the old kind (6): convert it, with tiffcp -c lzw for example");
  if (!TIFFIsCODECConfigured(compression))
    return answer(CTIFF_UNKNOWN_KIND, message, "compression %u, which this libtiff cannot unpack", compression);
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
    return answer(CTIFF_UNKNOWN_KIND, message, "samples that are %s: whole numbers from 0 are known, of 1 to 16 bits",
                  format == SAMPLEFORMAT_IEEEFP ? "floating-point numbers" : format == SAMPLEFORMAT_INT ? "signed" : "complex");
  if (bits < 1 || bits > 16) return answer(CTIFF_UNKNOWN_KIND, message, "samples of %u bits: 1 to 16 are known", bits);
  if (samples > MAX_SAMPLES) return answer(CTIFF_UNKNOWN_KIND, message, "%u samples a pixel: at most %d are known", samples, MAX_SAMPLES);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_INKSET, &inks);
  switch (photometric) {
  case PHOTOMETRIC_MINISWHITE:
  case PHOTOMETRIC_MINISBLACK: layout->colour = photometric == PHOTOMETRIC_MINISWHITE ? CTIFF_WHITE_IS_ZERO : CTIFF_GREY; break;
  case PHOTOMETRIC_RGB: layout->colour = CTIFF_RGB; break;
  case PHOTOMETRIC_PALETTE: layout->colour = CTIFF_PALETTE; break;
  case PHOTOMETRIC_SEPARATED: layout->colour = CTIFF_CMYK; break;
  case PHOTOMETRIC_YCBCR:
    // A JPEG decoder gives RGB if it is asked.
    layout->colour = compression == COMPRESSION_JPEG && planar == PLANARCONFIG_CONTIG ? CTIFF_RGB : CTIFF_YCBCR;
    break;
  default:
    return answer(CTIFF_UNKNOWN_KIND, message, "colours of kind %u: grey, RGB, palettes, CMYK and YCbCr are known", photometric);
  }
  layout->bits = bits;
  layout->samples = samples;
  layout->apart = planar == PLANARCONFIG_SEPARATE && samples > 1;
  int colours = ctiff_colours(layout->colour);
  if (samples < colours)
    return answer(CTIFF_DAMAGED, message, "%u samples a pixel, where its colours have %d", samples, colours);
  // Bands of a measurement, which Pillow does not open either. Taking the first would lose the others in silence.
  if (colours == 1 && samples > 2)
    return answer(CTIFF_UNKNOWN_KIND, message, "%u samples a pixel, of which none is said to be a colour", samples);
  if (layout->colour == CTIFF_CMYK && inks != INKSET_CMYK) return answer(CTIFF_UNKNOWN_KIND, message, "inks that are not CMYK");
  // The old value 1 for alpha means multiplied too.
  layout->multiplied = layout->colour == CTIFF_RGB && extras > 0 && samples > 3 && extra[0] == EXTRASAMPLE_ASSOCALPHA;
  if (layout->colour == CTIFF_PALETTE) {
    if (bits > 8) return answer(CTIFF_UNKNOWN_KIND, message, "a palette of %u bits: 1 to 8 are known", bits);
    if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &layout->palette[0], &layout->palette[1], &layout->palette[2]))
      return answer(CTIFF_DAMAGED, message, "its directory has no palette");
    ctiff_prepare_palette(layout);
  }
  header->bits = bits;
  header->samples = samples;
  header->grey = layout->colour == CTIFF_GREY || layout->colour == CTIFF_WHITE_IS_ZERO;
  header->orientation = orientation;
  header->densest = densest(compression);
  return 0;
}

static int failed(const ctiff_source *source, char *message, uint32_t row, uint32_t height) {
  return answer(CTIFF_DAMAGED, message, "from row %u of %u on: %s", row, height, source->said[0] ? source->said : "data is missing");
}

// A picture in strips or tiles, of samples that lie together or apart: each part is unpacked, and its rows are converted to RGB.
static int read_parts(TIFF *tiff, ctiff_source *source, const ctiff_header *header, const ctiff_layout *layout, uint8_t *out,
                      char *message) {
  uint32_t part_width = header->width, part_height = header->height;
  int tiled = TIFFIsTiled(tiff);
  if (tiled) {
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &part_width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &part_height);
  } else {
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &part_height);
    if (part_height > header->height) part_height = header->height;
  }
  // Tiles are at most as large as the picture, but for rounding. A file that claims more is no picture.
  enum { LARGE_TILE = 1 << 14 };
  if (part_width == 0 || part_height == 0 || (part_width > header->width && part_width > LARGE_TILE) ||
      (part_height > header->height && part_height > LARGE_TILE))
    return answer(CTIFF_DAMAGED, message, "parts of %u x %u pixels", part_height, part_width);
  tmsize_t part_size = tiled ? TIFFTileSize(tiff) : TIFFVStripSize(tiff, part_height);
  tmsize_t row_bytes = tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
  int planes = layout->apart ? ctiff_colours(layout->colour) + layout->multiplied : 1;
  size_t needed = ((size_t)part_width * (size_t)(layout->apart ? 1 : layout->samples) * (size_t)layout->bits + 7) / 8;
  if (part_size <= 0 || row_bytes <= 0 || (size_t)row_bytes < needed || part_size / row_bytes < (tmsize_t)part_height)
    return answer(CTIFF_DAMAGED, message, "parts of %lld bytes", (long long)part_size);
  uint8_t *parts = malloc((size_t)part_size * (size_t)planes);
  if (!parts) return answer(CTIFF_DAMAGED, message, "no memory for %lld bytes", (long long)part_size * planes);
  int outcome = 0;
  for (uint32_t y = 0; y < header->height && !outcome; y += part_height) {
    uint32_t rows = header->height - y < part_height ? header->height - y : part_height;
    for (uint32_t x = 0; x < header->width && !outcome; x += part_width) {
      uint32_t columns = header->width - x < part_width ? header->width - x : part_width;
      for (int plane = 0; plane < planes && !outcome; plane++) {
        uint8_t *part = parts + (size_t)part_size * (size_t)plane;
        tmsize_t wanted = tiled ? part_size : row_bytes * (tmsize_t)rows;
        tmsize_t got = tiled ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, (uint16_t)plane), part, wanted)
                             : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, (uint16_t)plane), part, wanted);
        if (got != wanted || source->said[0]) outcome = failed(source, message, y, header->height);
      }
      for (uint32_t row = 0; row < rows && !outcome; row++) {
        const uint8_t *samples[MAX_SAMPLES];
        for (int plane = 0; plane < planes; plane++)
          samples[plane] = parts + (size_t)part_size * (size_t)plane + (size_t)row_bytes * row;
        ctiff_convert(layout, samples, columns, out + 3 * ((size_t)header->width * (y + row) + x));
      }
    }
  }
  free(parts);
  return outcome;
}

// YCbCr that no JPEG decoder has turned into RGB: libtiff's own conversion, as Pillow has it.
static int read_ycbcr(TIFF *tiff, ctiff_source *source, const ctiff_header *header, uint8_t *out, char *message) {
  TIFFRGBAImage image;
  char text[1024] = ""; // the size that libtiff counts on
  if (!TIFFRGBAImageOK(tiff, text) || !TIFFRGBAImageBegin(&image, tiff, 1, text))
    return answer(CTIFF_UNKNOWN_KIND, message, "%.200s", text);
  image.orientation = image.req_orientation = ORIENTATION_TOPLEFT;
  size_t pixels = (size_t)header->width * header->height;
  uint32_t *raster = malloc(pixels * sizeof *raster);
  int outcome = 0;
  if (!raster)
    outcome = answer(CTIFF_DAMAGED, message, "no memory for %zu pixels", pixels);
  else if (!TIFFRGBAImageGet(&image, raster, header->width, header->height) || source->said[0])
    outcome = answer(CTIFF_DAMAGED, message, "%s", source->said[0] ? source->said : "data is missing");
  for (size_t i = 0; i < pixels && !outcome; i++) {
    out[3 * i] = (uint8_t)TIFFGetR(raster[i]);
    out[3 * i + 1] = (uint8_t)TIFFGetG(raster[i]);
    out[3 * i + 2] = (uint8_t)TIFFGetB(raster[i]);
  }
  free(raster);
  TIFFRGBAImageEnd(&image);
  return outcome;
}

int ctiff_read_header(const uint8_t *data, size_t size, ctiff_header *header, char message[CTIFF_MESSAGE_SIZE]) {
  ctiff_source source;
  ctiff_layout layout;
  memset(&layout, 0, sizeof layout);
  TIFF *tiff = ctiff_open(&source, data, size);
  if (!tiff) return answer(CTIFF_DAMAGED, message, "%s", source.said[0] ? source.said : "its directory cannot be read");
  int outcome = describe(tiff, &layout, header, message);
  TIFFClose(tiff);
  return outcome;
}

int ctiff_decode(const uint8_t *data, size_t size, uint8_t *out, size_t out_size, char message[CTIFF_MESSAGE_SIZE]) {
  ctiff_source source;
  ctiff_header header;
  ctiff_layout layout;
  memset(&layout, 0, sizeof layout);
  TIFF *tiff = ctiff_open(&source, data, size);
  if (!tiff) return answer(CTIFF_DAMAGED, message, "%s", source.said[0] ? source.said : "its directory cannot be read");
  int outcome = describe(tiff, &layout, &header, message);
  if (!outcome && (size_t)header.width * header.height * 3 != out_size)
    outcome = answer(CTIFF_DAMAGED, message, "not the size that its header says");
  if (!outcome) {
    uint16_t photometric = 0;
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    if (layout.colour == CTIFF_RGB && photometric == PHOTOMETRIC_YCBCR) TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    // What libtiff had to say of the directory was no reason not to open the file.
    source.said[0] = 0;
    source.reads_pixels = 1;
    outcome = layout.colour == CTIFF_YCBCR ? read_ycbcr(tiff, &source, &header, out, message)
                                           : read_parts(tiff, &source, &header, &layout, out, message);
  }
  TIFFClose(tiff);
  return outcome;
}

uint32_t ctiff_pictures(const uint8_t *data, size_t size, uint32_t limit) {
  ctiff_source source;
  TIFF *tiff = ctiff_open(&source, data, size);
  if (!tiff) return 0;
  uint32_t count = 0, seen = 0;
  do {
    uint32_t kind = 0;
    TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind);
    if (!(kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK))) count++;
  } while (count < limit && ++seen < 4 * limit && TIFFReadDirectory(tiff));
  TIFFClose(tiff);
  return count;
}

#endif
