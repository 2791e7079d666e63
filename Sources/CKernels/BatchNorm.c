// Normalisation of columns over the rows of a batch, for at most 64 neighbouring columns. Sums are of double precision, row by row, and stand
// apart from what is made of them: the rows of a batch may be on several machines.
#include "Reductions.h"

VARIANTS void pmae_batch_sums(const float *x, size_t stride, size_t rows, size_t columns, const float *mean,
                              double *restrict sums) {
  for (size_t c = 0; c < columns; c++) sums[c] = 0;
  if (!mean) {
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < columns; c++) sums[c] += x[r * stride + c];
    return;
  }
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      const double d = (double)x[r * stride + c] - (double)mean[c];
      sums[c] += d * d;
    }
}

VARIANTS void pmae_batch_norm(const float *x, size_t stride, size_t rows, size_t columns, const float *gamma, const float *beta,
                              float epsilon, int rectify, const float *mean, const float *variance, float *y, size_t y_stride) {
  float scale[64], shift[64];
  for (size_t c = 0; c < columns; c++) {
    scale[c] = gamma ? gamma[c] : 1.0f;
    shift[c] = beta ? beta[c] : 0.0f;
    scale[c] *= 1.0f / sqrtf(variance[c] + epsilon);
  }
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      const float v = (x[r * stride + c] - mean[c]) * scale[c] + shift[c];
      // NaN stays.
      y[r * y_stride + c] = rectify && v < 0 ? 0.0f : v;
    }
}

VARIANTS void pmae_batch_norm_sums_backward(const float *x, size_t stride, size_t rows, size_t columns, const float *gamma,
                                            const float *beta, float epsilon, int rectify, const float *mean,
                                            const float *variance, const float *dy, size_t dy_stride, double *restrict sums,
                                            double *restrict products) {
  float inverse[64], scale[64], shift[64];
  for (size_t c = 0; c < columns; c++) {
    inverse[c] = 1.0f / sqrtf(variance[c] + epsilon);
    scale[c] = (gamma ? gamma[c] : 1.0f) * inverse[c];
    shift[c] = beta ? beta[c] : 0.0f;
    sums[c] = products[c] = 0;
  }
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      const float d = x[r * stride + c] - mean[c];
      const float g = rectify && !(d * scale[c] + shift[c] > 0) ? 0.0f : dy[r * dy_stride + c];
      sums[c] += g;
      products[c] += (double)g * (double)(d * inverse[c]);
    }
}

VARIANTS void pmae_batch_norm_backward(const float *x, size_t stride, size_t rows, size_t columns, const float *gamma,
                                       const float *beta, float epsilon, int rectify, const float *mean, const float *variance,
                                       const float *dy, size_t dy_stride, const double *sums, const double *products,
                                       double count, float *dx, size_t dx_stride, int accumulate) {
  float inverse[64], scale[64], shift[64], sum[64], product[64];
  for (size_t c = 0; c < columns; c++) {
    inverse[c] = 1.0f / sqrtf(variance[c] + epsilon);
    scale[c] = (gamma ? gamma[c] : 1.0f) * inverse[c];
    shift[c] = beta ? beta[c] : 0.0f;
    sum[c] = (float)(sums[c] / count);
    product[c] = (float)(products[c] / count);
  }
  const float keep = accumulate ? 1.0f : 0.0f;
  for (size_t r = 0; r < rows; r++) {
    float *to = dx + r * dx_stride;
    if (!accumulate) memset(to, 0, columns * sizeof(float));
    for (size_t c = 0; c < columns; c++) {
      const float d = x[r * stride + c] - mean[c];
      const float g = rectify && !(d * scale[c] + shift[c] > 0) ? 0.0f : dy[r * dy_stride + c];
      to[c] = keep * to[c] + scale[c] * (g - sum[c] - d * inverse[c] * product[c]);
    }
  }
}
