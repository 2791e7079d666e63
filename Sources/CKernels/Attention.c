// Attention of one head over a short sequence, where a row of scores is one vector or two and nothing is worth a call: two orders of
// magnitude less work than a matrix product that pays. Rows of q, k, v and of their gradients are `stride` apart.
#include "Vector.h"

#define LANES_OF(wide) ((size_t)(16 * (wide)))
// Rows whose sums are in registers at once.
#define TOGETHER 6

/// out [depth][16 wide] = xᵀ for x [tokens][depth], zeros beyond the tokens.
INLINE void turn(const int wide, const float *x, size_t stride, size_t tokens, size_t depth, float *out) {
  for (size_t i = 0; i < depth * (size_t)wide; i++) ((sixteen *)out)[i] = 0;
  for (size_t t = 0; t < tokens; t++)
    for (size_t c = 0; c < depth; c++) out[c * LANES_OF(wide) + t] = x[t * stride + c];
}

/// s [tokens][16 wide] = x y, for x [tokens][depth] and y [depth][16 wide].
INLINE void scores(const int wide, const float *x, size_t stride, size_t tokens, size_t depth, const float *y, float *s) {
  for (size_t first = 0; first < tokens; first += TOGETHER) {
    const float *rows[TOGETHER];
    sixteen sums[TOGETHER][2];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < TOGETHER; i++) {
      // Beyond the last row, the last one again.
      rows[i] = x + (first + i < tokens ? first + i : tokens - 1) * stride;
      sums[i][0] = sums[i][1] = 0;
    }
    for (size_t c = 0; c < depth; c++, y += LANES_OF(wide)) {
      const sixteen y0 = *(const sixteen *)y, y1 = wide == 2 ? *(const sixteen *)(y + 16) : (sixteen)0;
#pragma clang loop unroll(full)
      for (size_t i = 0; i < TOGETHER; i++) {
        sums[i][0] = rows[i][c] * y0 + sums[i][0];
        if (wide == 2) sums[i][1] = rows[i][c] * y1 + sums[i][1];
      }
    }
    y -= depth * LANES_OF(wide);
    for (size_t i = 0; i < TOGETHER && first + i < tokens; i++)
      for (int v = 0; v < wide; v++) *(sixteen *)(s + (first + i) * LANES_OF(wide) + 16 * v) = sums[i][v];
  }
}

/// Each row s = softmax(scale s) over the tokens, zeros beyond them.
INLINE void softmax(const int wide, float *s, size_t tokens, float scale) {
  const sixteen_bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const sixteen_bits beyond = lane >= (int32_t)(tokens - LANES_OF(wide - 1));
  for (size_t t = 0; t < tokens; t++, s += LANES_OF(wide)) {
    sixteen last = beyond ? (sixteen)-INFINITY : *(const sixteen *)(s + 16 * (wide - 1));
    sixteen first = wide == 2 ? *(const sixteen *)s : last;
    const sixteen both = wide == 2 ? __builtin_elementwise_max(first, last) : last;
    const float top = highest(&both);
    last = (last - top) * scale;
    exp_negative16(&last);
    sixteen sum = last;
    if (wide == 2) {
      first = (first - top) * scale;
      exp_negative16(&first);
      sum += first;
    }
    const float share = 1.0f / total(&sum);
    if (wide == 2) *(sixteen *)s = first * share;
    *(sixteen *)(s + 16 * (wide - 1)) = last * share;
  }
}

/// out[i] (+)= Σ over j of s[i row + j step] x[j], rows of `depth` values.
INLINE void combine(const float *s, size_t row, size_t step, const float *x, size_t stride, size_t tokens, size_t depth,
                    float *out, size_t out_stride, int accumulate) {
  for (size_t i = 0; i < tokens; i++)
    for (size_t c = 0; c < depth; c += 16) {
      sixteen sum = accumulate ? *(const sixteen *)(out + i * out_stride + c) : (sixteen)0;
      for (size_t j = 0; j < tokens; j++) sum = s[i * row + j * step] * *(const sixteen *)(x + j * stride + c) + sum;
      *(sixteen *)(out + i * out_stride + c) = sum;
    }
}

INLINE void attend(const int wide, const float *q, const float *k, const float *v, size_t stride, size_t tokens,
                   size_t depth, float scale, float *y, size_t y_stride, float *scratch) {
  float *p = scratch + depth * LANES_OF(wide);
  turn(wide, k, stride, tokens, depth, scratch);
  scores(wide, q, stride, tokens, depth, scratch, p);
  softmax(wide, p, tokens, scale);
  combine(p, LANES_OF(wide), 1, v, stride, tokens, depth, y, y_stride, 0);
}

VARIANTS void pmae_attend_short(const float *q, const float *k, const float *v, size_t stride, size_t tokens,
                                size_t depth, float scale, float *y, size_t y_stride, float *scratch) {
  if (tokens <= 16)
    attend(1, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch);
  else
    attend(2, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch);
}

INLINE void attend_back(const int wide, const float *q, const float *k, const float *v, size_t stride,
                        const float *dy, size_t dy_stride, size_t tokens, size_t depth, float scale, float *dq,
                        float *dk, float *dv, size_t d_stride, int accumulate, float *scratch) {
  const size_t lanes = LANES_OF(wide);
  float *p = scratch + depth * lanes, *ds = p + tokens * lanes;
  turn(wide, k, stride, tokens, depth, scratch);
  scores(wide, q, stride, tokens, depth, scratch, p);
  softmax(wide, p, tokens, scale);
  turn(wide, v, stride, tokens, depth, scratch);
  scores(wide, dy, dy_stride, tokens, depth, scratch, ds);
  for (size_t t = 0; t < tokens; t++) {
    sixteen *shares = (sixteen *)(p + t * lanes), *slopes = (sixteen *)(ds + t * lanes);
    sixteen product = shares[0] * slopes[0];
    if (wide == 2) product += shares[1] * slopes[1];
    const float mean = total(&product);
    for (int i = 0; i < wide; i++) slopes[i] = scale * shares[i] * (slopes[i] - mean);
  }
  combine(p, 1, lanes, dy, dy_stride, tokens, depth, dv, d_stride, accumulate);
  combine(ds, lanes, 1, k, stride, tokens, depth, dq, d_stride, accumulate);
  combine(ds, 1, lanes, q, stride, tokens, depth, dk, d_stride, accumulate);
}

VARIANTS void pmae_attend_short_backward(const float *q, const float *k, const float *v, size_t stride, const float *dy,
                                         size_t dy_stride, size_t tokens, size_t depth, float scale, float *dq,
                                         float *dk, float *dv, size_t d_stride, int accumulate, float *scratch) {
  if (tokens <= 16)
    attend_back(1, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride, accumulate, scratch);
  else
    attend_back(2, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride, accumulate, scratch);
}
