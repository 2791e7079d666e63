// Attention of one head over a short sequence, where a row of scores is a few vectors and nothing is worth a call: an order of
// magnitude less work or two than a matrix product that pays. Rows of q, k, v and of their gradients are `stride` apart.
#include "Vector.h"

#define LANES_OF(wide) ((size_t)(16 * (wide)))
// Vectors of a row of scores, at most.
#define MOST_WIDE 5
// Rows whose sums are in registers at once.
#define TOGETHER 6
// Calls a function of a number of vectors that is compiled for each.
#define FOR_WIDTH(tokens, function, ...)                     \
  switch (((tokens) + 15) / 16) {                            \
  case 1: function(1, __VA_ARGS__); break;                   \
  case 2: function(2, __VA_ARGS__); break;                   \
  case 3: function(3, __VA_ARGS__); break;                   \
  case 4: function(4, __VA_ARGS__); break;                   \
  default: function(MOST_WIDE, __VA_ARGS__);                 \
  }

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
/// transposed one; b [inner][columns], whole vectors. ADD(sum, x, values) is sum + x values, for what 32 bits of a and of b are.
#define PRODUCT(NAME, TARGET, ADD)                                                                                    \
  TARGET INLINE void NAME(const float *a, size_t row, size_t step, size_t rows, size_t inner, const float *b,         \
                          size_t b_stride, size_t columns, float *out, size_t out_stride, int accumulate) {           \
    for (size_t c = 0; c < columns; c += 16)                                                                          \
      for (size_t first = 0; first < rows; first += TOGETHER) {                                                       \
        const float *from[TOGETHER];                                                                                  \
        sixteen sums[TOGETHER];                                                                                       \
        _Pragma("clang loop unroll(full)") for (size_t i = 0; i < TOGETHER; i++) {                                    \
          /* Beyond the last row, the last one again. */                                                              \
          from[i] = a + (first + i < rows ? first + i : rows - 1) * row;                                              \
          sums[i] = 0;                                                                                                \
        }                                                                                                             \
        for (size_t k = 0; k < inner; k++) {                                                                          \
          const sixteen values = *(const sixteen *)(b + k * b_stride + c);                                            \
          _Pragma("clang loop unroll(full)") for (size_t i = 0; i < TOGETHER; i++) sums[i] =                          \
              ADD(sums[i], from[i][k * step], values);                                                                \
        }                                                                                                             \
        _Pragma("clang loop unroll(full)") for (size_t i = 0; i < TOGETHER; i++) if (first + i < rows) {              \
          sixteen *to = (sixteen *)(out + (first + i) * out_stride + c);                                              \
          *to = accumulate ? *to + sums[i] : sums[i];                                                                 \
        }                                                                                                             \
      }                                                                                                               \
  }
#define ADD_PRODUCT(sum, x, values) ((x) * (values) + (sum))
PRODUCT(product, , ADD_PRODUCT)

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

/// ds = scale p (ds - Σ p ds), for shares p of rows of scores and their gradients ds.
INLINE void softmax_back(const int wide, const float *p, float *ds, size_t tokens, float scale) {
  for (size_t t = 0; t < tokens; t++, p += LANES_OF(wide), ds += LANES_OF(wide)) {
    const sixteen *shares = (const sixteen *)p;
    sixteen *slopes = (sixteen *)ds;
    sixteen product = shares[0] * slopes[0];
    for (int i = 1; i < wide; i++) product += shares[i] * slopes[i];
    const float mean = total(&product);
    for (int i = 0; i < wide; i++) slopes[i] = scale * shares[i] * (slopes[i] - mean);
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
  FOR_WIDTH(tokens, attend, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch)
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
  softmax_back(wide, p, ds, tokens, scale);
  product(p, 1, lanes, tokens, tokens, dy, dy_stride, depth, dv, d_stride, accumulate);
  product(ds, lanes, 1, tokens, tokens, k, stride, depth, dq, d_stride, accumulate);
  product(ds, 1, lanes, tokens, tokens, q, stride, depth, dk, d_stride, accumulate);
}

VARIANTS void pmae_attend_short_backward(const float *q, const float *k, const float *v, size_t stride, const float *dy,
                                         size_t dy_stride, size_t tokens, size_t depth, float scale, float *dq,
                                         float *dk, float *dv, size_t d_stride, int accumulate, float *scratch) {
  FOR_WIDTH(tokens, attend_back, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride, accumulate,
            scratch)
}

// The same of bfloat16, by instructions that multiply two values of one row by two of another: a row of 2 n values is one of n
// pairs, of 32 bits, and the inner dimension of a product is a row's, or two neighbouring rows' made one of pairs.
#if defined(__x86_64__)
#include <immintrin.h>
#define PAIRS __attribute__((target("avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define ADD_PAIRS(sum, x, values) \
  ((sixteen)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(values), (__m512bh)_mm512_set1_ps(x)))
PRODUCT(pairs_product, PAIRS, ADD_PAIRS)

/// Sixteen pairs of a value of one row and one of the next.
PAIRS INLINE __m512i paired(__m256i low, __m256i high) {
  return _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
}

PAIRS INLINE __m256i rounded(const float *x) { return (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x)); }

/// Pairs of rows [(rows + 1) / 2][columns] of x [rows][columns], zeros for a row beyond the last.
PAIRS INLINE void pair_rows(const uint16_t *x, size_t stride, size_t rows, size_t columns, float *out) {
  for (size_t r = 0; r < rows; r += 2, x += 2 * stride)
    for (size_t c = 0; c < columns; c += 16, out += 16) {
      const __m256i low = _mm256_loadu_si256((const __m256i *)(x + c));
      const __m256i high = r + 1 < rows ? _mm256_loadu_si256((const __m256i *)(x + stride + c)) : _mm256_setzero_si256();
      _mm512_storeu_si512(out, paired(low, high));
    }
}

/// The same of float32, which it rounds. Where `along` is given, there the rows themselves go, as pairs of neighbours.
PAIRS INLINE void round_rows(const float *x, size_t rows, size_t columns, float *across, float *along) {
  for (size_t r = 0; r < rows; r += 2, x += 2 * columns)
    for (size_t c = 0; c < columns; c += 16, across += 16) {
      const __m256i low = rounded(x + c), high = r + 1 < rows ? rounded(x + columns + c) : _mm256_setzero_si256();
      _mm512_storeu_si512(across, paired(low, high));
      if (!along) continue;
      _mm256_storeu_si256((__m256i *)((uint16_t *)along + r * columns + c), low);
      if (r + 1 < rows) _mm256_storeu_si256((__m256i *)((uint16_t *)along + (r + 1) * columns + c), high);
    }
}

/// Rows of float32, next to each other, to rows of bfloat16.
PAIRS INLINE void round_to(const float *x, size_t rows, size_t columns, uint16_t *y, size_t stride) {
  for (size_t r = 0; r < rows; r++, x += columns, y += stride)
    for (size_t c = 0; c < columns; c += 16) _mm256_storeu_si256((__m256i *)(y + c), rounded(x + c));
}

PAIRS INLINE void attend_pairs(const int wide, const uint16_t *q, const uint16_t *k, const uint16_t *v, size_t stride,
                               size_t tokens, size_t depth, float scale, uint16_t *y, size_t y_stride, float *scratch) {
  const size_t lanes = LANES_OF(wide), half = (tokens + 1) / 2;
  float *turned = scratch, *p = turned + depth / 2 * lanes, *shares = p + tokens * lanes;
  float *values = shares + tokens * lanes / 2, *sums = values + half * depth;
  turn(wide, (const float *)k, stride / 2, tokens, depth / 2, turned);
  pairs_product((const float *)q, stride / 2, 1, tokens, depth / 2, turned, lanes, lanes, p, lanes, 0);
  softmax(wide, p, tokens, scale);
  round_to(p, tokens, lanes, (uint16_t *)shares, lanes);
  pair_rows(v, stride, tokens, depth, values);
  pairs_product(shares, lanes / 2, 1, tokens, half, values, depth, depth, sums, depth, 0);
  round_to(sums, tokens, depth, y, y_stride);
}

PAIRS INLINE void attend_pairs_back(const int wide, const uint16_t *q, const uint16_t *k, const uint16_t *v,
                                    size_t stride, const uint16_t *dy, size_t dy_stride, size_t tokens, size_t depth,
                                    float scale, uint16_t *dq, uint16_t *dk, uint16_t *dv, size_t d_stride,
                                    float *scratch) {
  const size_t lanes = LANES_OF(wide), half = (tokens + 1) / 2;
  float *turned = scratch, *p = turned + depth / 2 * lanes, *ds = p + tokens * lanes, *across = ds + tokens * lanes;
  float *along = across + half * lanes, *values = along + tokens * lanes / 2, *sums = values + half * depth;
  turn(wide, (const float *)k, stride / 2, tokens, depth / 2, turned);
  pairs_product((const float *)q, stride / 2, 1, tokens, depth / 2, turned, lanes, lanes, p, lanes, 0);
  softmax(wide, p, tokens, scale);
  turn(wide, (const float *)v, stride / 2, tokens, depth / 2, turned);
  pairs_product((const float *)dy, dy_stride / 2, 1, tokens, depth / 2, turned, lanes, lanes, ds, lanes, 0);
  softmax_back(wide, p, ds, tokens, scale);

  round_rows(p, tokens, lanes, across, NULL);
  pair_rows(dy, dy_stride, tokens, depth, values);
  pairs_product(across, 1, lanes, tokens, half, values, depth, depth, sums, depth, 0);
  round_to(sums, tokens, depth, dv, d_stride);

  round_rows(ds, tokens, lanes, across, along);
  pair_rows(k, stride, tokens, depth, values);
  pairs_product(along, lanes / 2, 1, tokens, half, values, depth, depth, sums, depth, 0);
  round_to(sums, tokens, depth, dq, d_stride);
  pair_rows(q, stride, tokens, depth, values);
  pairs_product(across, 1, lanes, tokens, half, values, depth, depth, sums, depth, 0);
  round_to(sums, tokens, depth, dk, d_stride);
}

PAIRS void pmae_attend_pairs(const uint16_t *q, const uint16_t *k, const uint16_t *v, size_t stride, size_t tokens,
                             size_t depth, float scale, uint16_t *y, size_t y_stride, float *scratch) {
  FOR_WIDTH(tokens, attend_pairs, q, k, v, stride, tokens, depth, scale, y, y_stride, scratch)
}

PAIRS void pmae_attend_pairs_backward(const uint16_t *q, const uint16_t *k, const uint16_t *v, size_t stride,
                                      const uint16_t *dy, size_t dy_stride, size_t tokens, size_t depth, float scale,
                                      uint16_t *dq, uint16_t *dk, uint16_t *dv, size_t d_stride, float *scratch) {
  FOR_WIDTH(tokens, attend_pairs_back, q, k, v, stride, dy, dy_stride, tokens, depth, scale, dq, dk, dv, d_stride,
            scratch)
}
#else
// Never called: there is no pmae_pair_multiplier.
void pmae_attend_pairs(const uint16_t *q, const uint16_t *k, const uint16_t *v, size_t stride, size_t tokens,
                       size_t depth, float scale, uint16_t *y, size_t y_stride, float *scratch) {
  (void)q, (void)k, (void)v, (void)stride, (void)tokens, (void)depth, (void)scale, (void)y, (void)y_stride, (void)scratch;
  __builtin_trap();
}

void pmae_attend_pairs_backward(const uint16_t *q, const uint16_t *k, const uint16_t *v, size_t stride,
                                const uint16_t *dy, size_t dy_stride, size_t tokens, size_t depth, float scale,
                                uint16_t *dq, uint16_t *dk, uint16_t *dv, size_t d_stride, float *scratch) {
  (void)q, (void)k, (void)v, (void)stride, (void)dy, (void)dy_stride, (void)tokens, (void)depth, (void)scale;
  (void)dq, (void)dk, (void)dv, (void)d_stride, (void)scratch;
  __builtin_trap();
}
#endif
