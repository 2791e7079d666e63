// Cross-entropy of classes for the pixels of a row, whose logits lie between those of neighbouring pixels of a coarser row.
#include "Reductions.h"

VARIANTS void pmae_between_rows(const float *low, const float *high, float share, float *restrict y, size_t n) {
  const float a = 1.0f - share;
  for (size_t i = 0; i < n; i++) y[i] = a * low[i] + share * high[i];
}

INLINE float exponentials(const float *x, float top, float *restrict e, size_t n) {
  LANES
  float s = 0;
  for (size_t i = 0; i < n; i++) {
    const float v = exp1(x[i] - top);
    e[i] = v;
    s += v;
  }
  return s;
}

VARIANTS double pmae_pixel_loss(const float *logits, size_t stride, const pmae_between *places, size_t pixels,
                                const uint8_t *labels, uint8_t ignored, size_t classes, float *restrict gradient, size_t *hits,
                                float *scratch) {
  double loss = 0;
  float *restrict x = scratch, *restrict e = scratch + classes;
  for (size_t i = 0; i < pixels; i++) {
    const size_t label = labels[i];
    if (label == ignored) continue;
    const pmae_between at = places[i];
    const float *low = logits + (size_t)at.lower * stride, *high = logits + (size_t)at.upper * stride;
    const float a = 1.0f - at.share, b = at.share;
    for (size_t c = 0; c < classes; c++) x[c] = a * low[c] + b * high[c];
    const float top = maximum(x, classes);
    const float sum = exponentials(x, top, e, classes);
    loss += log((double)sum) + ((double)top - (double)x[label]);
    // The first of equals is what argmax says.
    if (x[label] == top) {
      size_t first = 0;
      while (x[first] != top) first++;
      *hits += first == label;
    }
    if (!gradient) continue;
    const float inverse = 1.0f / sum;
    for (size_t c = 0; c < classes; c++) e[c] *= inverse;
    e[label] -= 1.0f;
    float *restrict to = gradient + (size_t)at.lower * classes;
    for (size_t c = 0; c < classes; c++) to[c] += a * e[c];
    if (b == 0.0f) continue;
    float *restrict next = gradient + (size_t)at.upper * classes;
    for (size_t c = 0; c < classes; c++) next[c] += b * e[c];
  }
  return loss;
}
