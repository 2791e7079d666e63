// Maps of features: rows are pixels, columns channels.
#include "Vector.h"

VARIANTS void pmae_resize_row(const float *x, size_t x_stride, const pmae_between *places, ptrdiff_t shift, size_t from, size_t to,
                              float *y, size_t y_stride, size_t channels) {
  for (size_t i = from; i < to; i++) {
    const pmae_between at = places[(ptrdiff_t)i + shift];
    const float *low = x + (size_t)at.lower * x_stride, *high = x + (size_t)at.upper * x_stride;
    const float a = 1.0f - at.share, b = at.share;
    float *restrict out = y + i * y_stride;
    for (size_t c = 0; c < channels; c++) out[c] += a * low[c] + b * high[c];
  }
}

VARIANTS void pmae_resize_row_backward(const float *dy, size_t dy_stride, const pmae_between *places, ptrdiff_t shift, size_t from,
                                       size_t to, float *dx, size_t dx_stride, size_t channels) {
  for (size_t i = from; i < to; i++) {
    const pmae_between at = places[(ptrdiff_t)i + shift];
    const float *in = dy + i * dy_stride;
    const float a = 1.0f - at.share, b = at.share;
    float *restrict low = dx + (size_t)at.lower * dx_stride;
    for (size_t c = 0; c < channels; c++) low[c] += a * in[c];
    if (b == 0.0f) continue;
    float *restrict high = dx + (size_t)at.upper * dx_stride;
    for (size_t c = 0; c < channels; c++) high[c] += b * in[c];
  }
}

/// a where it is the greater or not a number.
INLINE float greater(float a, float b) { return a > b || a != a ? a : b; }

VARIANTS void pmae_max4(const float *x0, const float *x1, const float *x2, const float *x3, float *restrict y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = greater(x3[i], greater(x2[i], greater(x1[i], x0[i])));
}

VARIANTS void pmae_max4_backward(const float *x0, const float *x1, const float *x2, const float *x3, const float *dy,
                                 float *restrict d0, float *restrict d1, float *restrict d2, float *restrict d3, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float top = x0[i];
    int place = 0;
    place = greater(x1[i], top) != top ? 1 : place;
    top = greater(x1[i], top);
    place = greater(x2[i], top) != top ? 2 : place;
    top = greater(x2[i], top);
    place = greater(x3[i], top) != top ? 3 : place;
    const float d = dy[i];
    d0[i] += place == 0 ? d : 0.0f;
    d1[i] += place == 1 ? d : 0.0f;
    d2[i] += place == 2 ? d : 0.0f;
    d3[i] += place == 3 ? d : 0.0f;
  }
}
