// Elementwise kernels: exp, bias, GELU, sums of arrays.
#include "Vector.h"

VARIANTS void pmae_exp(const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = exp1(x[i]);
}

VARIANTS void pmae_exp_scaled(const float *x, float *q, size_t n, float shift, float scale) {
  for (size_t i = 0; i < n; i++) q[i] = exp1((x[i] - shift) * scale);
}

VARIANTS void pmae_add_bias(float *y, const float *bias, size_t rows, size_t columns, size_t stride) {
  for (size_t r = 0; r < rows; r++) {
    float *row = y + r * stride;
    for (size_t c = 0; c < columns; c++) row[c] += bias[c];
  }
}

VARIANTS void pmae_bias_gelu(float *z, const float *bias, float *y, size_t rows, size_t columns, size_t stride) {
  for (size_t r = 0; r < rows; r++) {
    float *restrict zr = z + r * stride;
    float *restrict yr = y + r * stride;
    for (size_t c = 0; c < columns; c++) {
      const float v = zr[c] + bias[c];
      zr[c] = v;
      yr[c] = gelu1(v);
    }
  }
}

VARIANTS void pmae_bias_gelu_in_place(float *z, const float *restrict bias, size_t rows, size_t columns, size_t stride) {
  for (size_t r = 0; r < rows; r++) {
    float *restrict row = z + r * stride;
    for (size_t c = 0; c < columns; c++) row[c] = gelu1(row[c] + bias[c]);
  }
}

VARIANTS void pmae_gelu_return(float *z, float *d, size_t rows, size_t columns, size_t stride) {
  for (size_t r = 0; r < rows; r++) {
    float *restrict zr = z + r * stride;
    float *restrict dr = d + r * stride;
    for (size_t c = 0; c < columns; c++) {
      const float v = zr[c];
      dr[c] *= gelu_slope1(v);
      zr[c] = gelu1(v);
    }
  }
}

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

VARIANTS int pmae_all_finite(const float *x, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; i++) {
    union { float f; uint32_t u; } v = {x[i]};
    bad |= (v.u & 0x7F800000u) == 0x7F800000u;
  }
  return !bad;
}
