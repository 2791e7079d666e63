// Attention of one head over a short sequence, where a row of scores is a few vectors and nothing is worth a call: an order of
// magnitude less work or two than a matrix product that pays. Rows of q, k, v and of their gradients are `stride` apart.
#include "Vector.h"

#define LANES_OF(wide) ((size_t)(16 * (wide)))
// Vectors of a row of scores, at most.
#define MOST_WIDE 5
// Rows whose sums are in registers at once.
#define TOGETHER 6

/// out [depth][16 wide] = xᵀ for x [tokens][depth], zeros beyond the tokens. Eight rows by eight columns at a time, in registers:
/// three rounds, each of which deals the first four of eight vectors and the last four like two halves of a pack of cards.
INLINE void turn(const int wide, const float *x, size_t stride, size_t tokens, size_t depth, float *out) {
  for (size_t first = 0; first < LANES_OF(wide); first += 8)
    for (size_t c = 0; c < depth; c += 8) {
      eight a[8], b[8];
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 8; i++)
        a[i] = first + i < tokens ? *(const eight_anywhere *)(x + (first + i) * stride + c) : (eight)0;
#pragma clang loop unroll(full)
      for (int round = 0; round < 3; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
          b[2 * i] = __builtin_shufflevector(a[i], a[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
          b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) a[i] = b[i];
      }
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 8; i++) *(eight_anywhere *)(out + (c + i) * LANES_OF(wide) + first) = a[i];
    }
}

/// out [rows][columns] (+)= a b: a [rows][inner], whose rows are `row` and whose columns are `step` apart, so that it may be a
/// transposed one; b [inner][columns], whole vectors.
INLINE void product(const float *a, size_t row, size_t step, size_t rows, size_t inner, const float *b, size_t b_stride,
                    size_t columns, float *out, size_t out_stride, int accumulate) {
  for (size_t c = 0; c < columns; c += 16)
    for (size_t first = 0; first < rows; first += TOGETHER) {
      const float *from[TOGETHER];
      sixteen sums[TOGETHER];
#pragma clang loop unroll(full)
      for (size_t i = 0; i < TOGETHER; i++) {
        // Beyond the last row, the last one again.
        from[i] = a + (first + i < rows ? first + i : rows - 1) * row;
        sums[i] = 0;
      }
      for (size_t k = 0; k < inner; k++) {
        const sixteen values = *(const sixteen *)(b + k * b_stride + c);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < TOGETHER; i++) sums[i] = from[i][k * step] * values + sums[i];
      }
#pragma clang loop unroll(full)
      for (size_t i = 0; i < TOGETHER; i++)
        if (first + i < rows) {
          sixteen *to = (sixteen *)(out + (first + i) * out_stride + c);
          *to = accumulate ? *to + sums[i] : sums[i];
        }
    }
}

/// Each row s = softmax(scale s) over the tokens, zeros beyond them.
INLINE void softmax(const int wide, float *s, size_t tokens, float scale) {
  const sixteen_bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const sixteen_bits beyond = lane >= (int32_t)(tokens - LANES_OF(wide - 1));
  for (size_t t = 0; t < tokens; t++, s += LANES_OF(wide)) {
    sixteen row[MOST_WIDE];
#pragma clang loop unroll(full)
    for (int i = 0; i < wide; i++) row[i] = ((const sixteen *)s)[i];
    row[wide - 1] = beyond ? (sixteen)-INFINITY : row[wide - 1];
    sixteen most = row[wide - 1];
#pragma clang loop unroll(full)
    for (int i = 0; i + 1 < wide; i++) most = __builtin_elementwise_max(row[i], most);
    const float top = highest(&most);
    sixteen sum = 0;
#pragma clang loop unroll(full)
    for (int i = wide; i-- > 0;) {
      row[i] = (row[i] - top) * scale;
      exp_negative16(&row[i]);
      sum += row[i];
    }
    const float share = 1.0f / total(&sum);
#pragma clang loop unroll(full)
    for (int i = 0; i < wide; i++) ((sixteen *)s)[i] = row[i] * share;
  }
}

INLINE void attend(const int wide, const float *q, const float *k, const float *v, size_t stride, size_t tokens,
                   size_t depth, float scale, float *y, size_t y_stride, float *scratch) {
  const size_t lanes = LANES_OF(wide);
  float *p = scratch + depth * lanes;
  turn(wide, k, stride, tokens, depth, scratch);
  product(q, stride, 1, tokens, depth, scratch, lanes, lanes, p, lanes, 0);
  softmax(wide, p, tokens, scale);
  product(p, lanes, 1, tokens, tokens, v, stride, depth, y, y_stride, 0);
}

VARIANTS void pmae_attend_short(const float *q, const float *k, const float *v, size_t stride, size_t tokens,
                                size_t depth, float scale, float *y, size_t y_stride, float *scratch) {
  // Each number of vectors is compiled for itself.
  switch ((tokens + 15) / 16) {
  case 1: return attend(1, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch);
  case 2: return attend(2, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch);
  case 3: return attend(3, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch);
  case 4: return attend(4, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch);
  default: return attend(MOST_WIDE, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch);
  }
}

INLINE void attend_back(const int wide, const float *q, const float *k, const float *v, size_t stride,
                        const float *dy, size_t dy_stride, size_t tokens, size_t depth, float scale, float *dq,
                        float *dk, float *dv, size_t d_stride, int accumulate, float *scratch) {
  const size_t lanes = LANES_OF(wide);
  float *p = scratch + depth * lanes, *ds = p + tokens * lanes;
  turn(wide, k, stride, tokens, depth, scratch);
  product(q, stride, 1, tokens, depth, scratch, lanes, lanes, p, lanes, 0);
  softmax(wide, p, tokens, scale);
  turn(wide, v, stride, tokens, depth, scratch);
  product(dy, dy_stride, 1, tokens, depth, scratch, lanes, lanes, ds, lanes, 0);
  for (size_t t = 0; t < tokens; t++) {
    sixteen *shares = (sixteen *)(p + t * lanes), *slopes = (sixteen *)(ds + t * lanes);
    sixteen product = shares[0] * slopes[0];
    for (int i = 1; i < wide; i++) product += shares[i] * slopes[i];
    const float mean = total(&product);
    for (int i = 0; i < wide; i++) slopes[i] = scale * shares[i] * (slopes[i] - mean);
  }
  product(p, 1, lanes, tokens, tokens, dy, dy_stride, depth, dv, d_stride, accumulate);
  product(ds, lanes, 1, tokens, tokens, k, stride, depth, dq, d_stride, accumulate);
  product(ds, 1, lanes, tokens, tokens, q, stride, depth, dk, d_stride, accumulate);
}

VARIANTS void pmae_attend_short_backward(const float *q, const float *k, const float *v, size_t stride, const float *dy,
                                         size_t dy_stride, size_t tokens, size_t depth, float scale, float *dq,
                                         float *dk, float *dv, size_t d_stride, int accumulate, float *scratch) {
  switch ((tokens + 15) / 16) {
  case 1:
    return attend_back(1, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride, accumulate, scratch);
  case 2:
    return attend_back(2, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride, accumulate, scratch);
  case 3:
    return attend_back(3, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride, accumulate, scratch);
  case 4:
    return attend_back(4, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride, accumulate, scratch);
  default:
    return attend_back(MOST_WIDE, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride, accumulate, scratch);
  }
}
