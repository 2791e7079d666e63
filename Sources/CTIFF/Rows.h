// Rows of samples, as a TIFF file stores them, to RGB.
#ifndef PMAE_CTIFF_ROWS_H
#define PMAE_CTIFF_ROWS_H

#include <stddef.h>
#include <stdint.h>

typedef enum { CTIFF_GREY, CTIFF_WHITE_IS_ZERO, CTIFF_RGB, CTIFF_PALETTE, CTIFF_CMYK, CTIFF_YCBCR } ctiff_colour;

typedef struct {
  ctiff_colour colour;
  int bits;    // a sample, 1 to 16; those of 16 in the machine's byte order, others from the upper end of each byte on
  int samples; // a pixel; what is more than the colours is alpha or unknown
  int apart;   // each sample has rows of its own
  int multiplied; // the fourth sample is alpha, and the colours were multiplied by it
  uint16_t *palette[3];
  int palette_shift;
} ctiff_layout;

// The samples of a colour, without alpha.
int ctiff_colours(ctiff_colour colour);

// Finds out whether the palette's values have 16 bits, as they should, or 8, as some writers left them.
void ctiff_prepare_palette(ctiff_layout *layout);

// Converts a row of width pixels to RGB at out. rows: one, or one for each sample where they lie apart.
void ctiff_convert(const ctiff_layout *layout, const uint8_t *const rows[], uint32_t width, uint8_t *out);

#endif
