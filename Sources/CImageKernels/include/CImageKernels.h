// Innermost loops over 8-bit pixels, compiled for several instruction sets and chosen at run time. All return the same bits for the
// same input on every machine: they compute with whole numbers, or in Pillow's order.
#ifndef CIMAGEKERNELS_H
#define CIMAGEKERNELS_H
#include <stddef.h>
#include <stdint.h>

// Resizing 8-bit pictures along one axis with weights of 22 bits behind the point, rounded and clipped to 8 bits.
/// Along rows of pixels: out [height x width x channels]; in has a row every `stride` bytes. Pixel x is the sum over t of
/// weights[x * size + t] times the pixel bounds[2 x] + t of its row, for the bounds[2 x + 1] taps; both ends rise with x. scratch
/// has room for 64 * channels * (width + the number of pixels that a row of in has).
void pmae_resample_rows(const uint8_t *in, size_t stride, uint8_t *out, size_t height, size_t width, size_t channels, const int32_t *weights, size_t size, const int32_t *bounds, uint8_t *scratch);
/// Along columns: out[i] is the sum over t of weights[t] in[t * stride + i], of `taps` rows. One output row.
void pmae_resample_column(const uint8_t *in, size_t stride, uint8_t *out, size_t bytes, const int32_t *weights, size_t taps);

// Colours of 8-bit pixels, in place, in Pillow's arithmetic. RGB pixels, `count` of them, except where it says bytes.
/// Each of `count` bytes becomes from + factor * (itself - from), clipped and truncated.
void pmae_blend(uint8_t *at, size_t count, uint8_t from, float factor);
/// The sum of the pixels' luma, each rounded to 8 bits.
uint64_t pmae_luma_sum(const uint8_t *at, size_t count);
/// The blend of each channel with the pixel's luma.
void pmae_saturate(uint8_t *at, size_t count, float factor);
/// Each channel becomes the pixel's luma.
void pmae_grey(uint8_t *at, size_t count);
/// Of `count` bytes, those of at least `threshold` are inverted.
void pmae_solarise(uint8_t *at, size_t count, uint8_t threshold);
/// `turn` is added to each pixel's 8-bit hue, wrapping around.
void pmae_turn_hue(uint8_t *at, size_t count, uint8_t turn);
/// Turns a row of RGB pixels around.
void pmae_mirror(uint8_t *row, size_t width);

// Three boxes of fractional radius in a row: `inner` times the 2 margin - 1 values in the box and `outer` times the two next to
// it, in 24 bits. Beyond the edge is the value at the edge.
/// Along one row; scratch has room for (width + 2 margin) * channels.
void pmae_blur_row(uint8_t *row, size_t width, size_t channels, size_t margin, uint32_t inner, uint32_t outer, uint8_t *scratch);
/// Along all columns of rows that are `bytes` long; scratch has room for 64 * (height + 2 margin).
void pmae_blur_columns(uint8_t *at, size_t height, size_t bytes, size_t margin, uint32_t inner, uint32_t outer, uint8_t *scratch);

// OpenCV's arithmetic.
/// Along a row, resized bilinearly without antialiasing: out [width x channels] of 11-bit weights, weights[2 x] for the pixel places[x] and
/// weights[2 x + 1] for the next one, which is `step` bytes on. channels is 1 or 3.
void pmae_linear_row(const uint8_t *in, int32_t *out, size_t width, size_t channels, const int32_t *places, const int16_t *weights, size_t step);
/// Between two such rows, by 11-bit weights: `count` bytes.
void pmae_linear_column(const int32_t *a, const int32_t *b, int32_t wa, int32_t wb, uint8_t *out, size_t count);
/// Each byte becomes what a table of 256 has for it.
void pmae_lookup(uint8_t *at, size_t count, const uint8_t *table);
/// `count` RGB pixels become 8-bit HSV (hues to 179), hue and saturation what tables of 256 have for them, and RGB again.
void pmae_opencv_hsv(uint8_t *at, size_t count, const uint8_t *hues, const uint8_t *saturations);
#endif
