// Elementwise kernels: exp, bias, GELU, sums of arrays.
#include "Vector.h"

VARIANTS void pmae_exp(const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = exp1(x[i]);
}

// q may be x. Without the pragma the loop looks whether they overlap, which they do then, and goes on one value at a time.
VARIANTS void pmae_exp_scaled(const float *x, float *q, size_t n, float shift, float scale) {
#pragma clang loop vectorize(assume_safety)
  for (size_t i = 0; i < n; i++) q[i] = exp1((x[i] - shift) * scale);
}

// What is done with a tile of a matrix product before it leaves the cache, into float32 or bfloat16.
#define LOAD_FLOAT(x) (x)
#define STORE_FLOAT(x) (x)
#define LOAD_BF16(x) from_bfloat16(x)
#define STORE_BF16(x) bfloat16(x)

#define TILE_KERNELS(SUFFIX, TYPE, LOAD, STORE, GELU, SLOPE)                                                                   \
  VARIANTS void pmae_biased##SUFFIX(const float *tile, size_t tile_stride, const float *bias, TYPE *y, size_t stride,    \
                                    size_t rows, size_t columns) {                                                       \
    for (size_t r = 0; r < rows; r++) {                                                                                  \
      const float *in = tile + r * tile_stride;                                                                          \
      TYPE *restrict out = y + r * stride;                                                                               \
      if (bias)                                                                                                          \
        for (size_t c = 0; c < columns; c++) out[c] = STORE(in[c] + bias[c]);                                            \
      else                                                                                                               \
        for (size_t c = 0; c < columns; c++) out[c] = STORE(in[c]);                                                      \
    }                                                                                                                    \
  }                                                                                                                      \
  VARIANTS void pmae_bias_gelu##SUFFIX(const float *tile, size_t tile_stride, const float *restrict bias, TYPE *z,       \
                                       TYPE *h, size_t stride, size_t rows, size_t columns) {                            \
    for (size_t r = 0; r < rows; r++) {                                                                                  \
      const float *in = tile + r * tile_stride;                                                                          \
      TYPE *restrict out = h + r * stride;                                                                               \
      if (z) {                                                                                                           \
        TYPE *restrict kept = z + r * stride;                                                                            \
        for (size_t c = 0; c < columns; c++) {                                                                           \
          const float v = in[c] + bias[c];                                                                               \
          kept[c] = STORE(v);                                                                                            \
          out[c] = STORE(GELU(v));                                                                                      \
        }                                                                                                                \
      } else {                                                                                                           \
        for (size_t c = 0; c < columns; c++) out[c] = STORE(GELU(in[c] + bias[c]));                                     \
      }                                                                                                                  \
    }                                                                                                                    \
  }                                                                                                                      \
  VARIANTS void pmae_gelu_backward##SUFFIX(const float *tile, size_t tile_stride, TYPE *z, TYPE *d, size_t stride,         \
                                         size_t rows, size_t columns) {                                                  \
    for (size_t r = 0; r < rows; r++) {                                                                                  \
      const float *in = tile + r * tile_stride;                                                                          \
      TYPE *restrict zr = z + r * stride;                                                                                \
      TYPE *restrict dr = d + r * stride;                                                                                \
      for (size_t c = 0; c < columns; c++) {                                                                             \
        const float v = LOAD(zr[c]);                                                                                     \
        dr[c] = STORE(in[c] * SLOPE(v));                                                                           \
        zr[c] = STORE(GELU(v));                                                                                         \
      }                                                                                                                  \
    }                                                                                                                    \
  }

TILE_KERNELS(, float, LOAD_FLOAT, STORE_FLOAT, gelu1, gelu_slope1)
TILE_KERNELS(_bf16, uint16_t, LOAD_BF16, STORE_BF16, near_gelu1, near_gelu_slope1)

VARIANTS void pmae_axpy(float a, const float *restrict x, float *restrict y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

VARIANTS void pmae_axpby(float a, const float *restrict x, float b, float *restrict y, size_t n) {
  if (b == 0.0f) {  // y may hold anything, NaN too
    for (size_t i = 0; i < n; i++) y[i] = a * x[i];
  } else {
    for (size_t i = 0; i < n; i++) y[i] = a * x[i] + b * y[i];
  }
}

VARIANTS void pmae_add_scaled(const float *x, float a, const float *b, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] + a * b[i];
}

VARIANTS void pmae_add_biased(const float *restrict x, float a, const float *restrict b, const float *restrict bias,
                              float *restrict y, size_t n) {
  if (bias)
    for (size_t i = 0; i < n; i++) y[i] = x[i] + a * (b[i] + bias[i]);
  else
    for (size_t i = 0; i < n; i++) y[i] = x[i] + a * b[i];
}

VARIANTS void pmae_add_product(const float *x, float a, const float *b, const float *c, float *y, size_t n) {
  if (x)
    for (size_t i = 0; i < n; i++) y[i] = x[i] + a * b[i] * c[i];
  else
    for (size_t i = 0; i < n; i++) y[i] = a * b[i] * c[i];
}

VARIANTS void pmae_lerp(float *restrict t, const float *restrict s, size_t n, float weight) {
  for (size_t i = 0; i < n; i++) t[i] += (s[i] - t[i]) * weight;
}

VARIANTS void pmae_adamw(float *restrict w, const float *restrict g, float *restrict m, float *restrict v, size_t n,
                         float keep, float share1, float share2, float rate, float inverse_root2, float epsilon) {
  for (size_t i = 0; i < n; i++) {
    const float gi = g[i];
    const float mi = m[i] + (gi - m[i]) * share1;
    const float vi = v[i] * (1.0f - share2) + gi * gi * share2;
    m[i] = mi;
    v[i] = vi;
    w[i] = w[i] * keep - rate * mi / (sqrtf(vi) * inverse_root2 + epsilon);
  }
}

VARIANTS void pmae_momentum(float *restrict w, const float *restrict g, float *restrict m, size_t n, float share,
                            float decay, float momentum, float rate) {
  for (size_t i = 0; i < n; i++) {
    const float mi = momentum * m[i] + (share * g[i] + decay * w[i]);
    m[i] = mi;
    w[i] -= rate * mi;
  }
}

VARIANTS int pmae_all_finite(const float *x, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; i++) {
    union { float f; uint32_t u; } v = {x[i]};
    bad |= (v.u & 0x7F800000u) == 0x7F800000u;
  }
  return !bad;
}
