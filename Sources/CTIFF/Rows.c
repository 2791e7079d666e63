#ifdef PMAE_TIFF

#include "Rows.h"

#include <string.h>

int ctiff_colours(ctiff_colour colour) { return colour == CTIFF_CMYK ? 4 : colour == CTIFF_RGB || colour == CTIFF_YCBCR ? 3 : 1; }

void ctiff_prepare_palette(ctiff_layout *layout) {
  layout->palette_shift = 0;
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < 1 << layout->bits; i++)
      if (layout->palette[c][i] > 255) layout->palette_shift = 8;
}

// Sample number i of a row as it is stored.
static unsigned stored(const uint8_t *row, int bits, size_t i) {
  if (bits == 8) return row[i];
  if (bits == 16) {
    uint16_t value;
    memcpy(&value, row + 2 * i, 2);
    return value;
  }
  size_t first = i * (size_t)bits;
  unsigned value = 0;
  for (int bit = 0; bit < bits; bit++) {
    size_t at = first + (size_t)bit;
    value = value << 1 | (row[at / 8] >> (7 - at % 8) & 1);
  }
  return value;
}

// The same as 8 bits: the upper ones, or spread from 0 to 255.
static uint8_t eight(unsigned value, int bits) {
  return (uint8_t)(bits >= 8 ? value >> (bits - 8) : value * 255 / ((1u << bits) - 1));
}

static uint8_t scaled(unsigned a, unsigned b) {
  unsigned product = a * b + 128;
  return (uint8_t)((product + (product >> 8)) >> 8);
}

void ctiff_convert(const ctiff_layout *layout, const uint8_t *const rows[], uint32_t width, uint8_t *out) {
  int bits = layout->bits, count = ctiff_colours(layout->colour) + layout->multiplied;
  for (size_t x = 0; x < width; x++, out += 3) {
    unsigned raw[5];
    uint8_t value[5];
    for (int c = 0; c < count; c++) {
      raw[c] = layout->apart ? stored(rows[c], bits, x) : stored(rows[0], bits, x * (size_t)layout->samples + (size_t)c);
      value[c] = eight(raw[c], bits);
    }
    switch (layout->colour) {
    case CTIFF_GREY:
    case CTIFF_WHITE_IS_ZERO:
      if (layout->colour == CTIFF_WHITE_IS_ZERO) value[0] = (uint8_t)(255 - value[0]);
      memset(out, value[0], 3);
      break;
    case CTIFF_PALETTE:
      for (int c = 0; c < 3; c++) out[c] = (uint8_t)(layout->palette[c][raw[0]] >> layout->palette_shift);
      break;
    case CTIFF_CMYK:
      // Pillow's arithmetic: R = K' - C * K' / 255, where K' = 255 - K.
      for (int c = 0; c < 3; c++) out[c] = (uint8_t)(255 - value[3] - scaled(value[c], 255u - value[3]));
      break;
    default:
      for (int c = 0; c < 3; c++) {
        if (!layout->multiplied || value[3] == 255) {
          out[c] = value[c];
        } else {
          unsigned whole = value[3] == 0 ? 0 : value[c] * 255u / value[3];
          out[c] = (uint8_t)(whole > 255 ? 255 : whole);
        }
      }
    }
  }
}

#endif
