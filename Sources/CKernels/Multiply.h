// The matrix product for one instruction set. Included once for each, with WIDTH (float32 values in a vector), HEIGHT (rows of c
// in registers), ADD_PRODUCT(sum, x, b) (the vector sum + x b, for a value x of a), NAME(x) and TARGET defined. ADD_PRODUCT
// alone knows what is in 32 bits of a factor, so that a product of bfloat16 pairs is the same code.
//
// One operand, b, is packed in panels of 2 WIDTH columns, [inner][2 WIDTH] one after the other, the last one padded with
// zeros; the other is read where it lies. HEIGHT rows of a and a panel of b make HEIGHT × 2 WIDTH sums in registers.
typedef float NAME(vector) __attribute__((vector_size(WIDTH * 4), aligned(4)));
#define VECTOR NAME(vector)
#define PANEL (2 * WIDTH)

/// c [height × columns] (+)= a b over `inner` products. `wide` is how many of the panel's two vectors hold columns of c.
/// Always inlined with constant height and wide, so that the sums are registers.
TARGET INLINE void NAME(block)(const int height, const int wide, size_t inner, const float *restrict a, size_t row,
                               size_t step, const float *restrict b, float *restrict c, size_t stride, int accumulate,
                               size_t columns) {
  VECTOR sums[HEIGHT][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < height; i++) sums[i][0] = sums[i][1] = (VECTOR){};
  for (size_t p = 0; p < inner; p++) {
    const VECTOR b0 = *(const VECTOR *)b;
    const VECTOR b1 = wide == 2 ? *(const VECTOR *)(b + WIDTH) : (VECTOR){};
    b += PANEL;
    // A transposed a is walked along its columns: the lines of the next rows of c are fetched while these are computed.
    if (row == 1) __builtin_prefetch(a + 2 * HEIGHT - 1);
#pragma clang loop unroll(full)
    for (int i = 0; i < height; i++) {
      const float x = a[i * row];
      sums[i][0] = ADD_PRODUCT(sums[i][0], x, b0);
      if (wide == 2) sums[i][1] = ADD_PRODUCT(sums[i][1], x, b1);
    }
    a += step;
  }
  if (columns == (size_t)wide * WIDTH) {
#pragma clang loop unroll(full)
    for (int i = 0; i < height; i++)
#pragma clang loop unroll(full)
      for (int v = 0; v < wide; v++) {
        VECTOR *out = (VECTOR *)(c + i * stride + v * WIDTH);
        *out = accumulate ? *out + sums[i][v] : sums[i][v];
      }
  } else {
    float values[PANEL];
#pragma clang loop unroll(full)
    for (int i = 0; i < height; i++) {
      *(VECTOR *)values = sums[i][0];
      *(VECTOR *)(values + WIDTH) = sums[i][1];
      float *out = c + i * stride;
      for (size_t j = 0; j < columns; j++) out[j] = accumulate ? out[j] + values[j] : values[j];
    }
  }
}

#define ROWS(height)                                                                        \
  case height:                                                                              \
    if (columns > WIDTH)                                                                    \
      NAME(block)(height, 2, inner, a, row, step, b, c, stride, accumulate, columns);       \
    else                                                                                    \
      NAME(block)(height, 1, inner, a, row, step, b, c, stride, accumulate, columns);       \
    break;

TARGET __attribute__((noinline)) static void NAME(some_rows)(size_t height, size_t inner, const float *a, size_t row,
                                                             size_t step, const float *b, float *c, size_t stride,
                                                             int accumulate, size_t columns) {
  switch (height) {
    ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if HEIGHT > 6
    ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12)
#endif
  }
}

TARGET static void NAME(multiply)(size_t rows, size_t columns, size_t inner, const float *a, size_t row, size_t step,
                                  const float *b, float *c, size_t stride, int accumulate) {
  const size_t depths = (inner + DEPTH - 1) / DEPTH, strips = (rows + HEIGHT - 1) / HEIGHT;
  if (inner == 0 && !accumulate)
    for (size_t i = 0; i < rows; i++) memset(c + i * stride, 0, columns * sizeof *c);
  for (size_t d = 0; d < depths; d++) {
    const size_t from = inner * d / depths, depth = inner * (d + 1) / depths - from;
    // So many columns that their part of b stays in the second cache while all rows pass by.
    const size_t group = CACHED / depth / PANEL * PANEL;
    for (size_t j0 = 0; j0 < columns; j0 += group) {
      const size_t end = columns - j0 < group ? columns : j0 + group;
      for (size_t s = 0; s < strips; s++) {
        const size_t i = rows * s / strips, height = rows * (s + 1) / strips - i;
        for (size_t j = j0; j < end; j += PANEL)
          NAME(some_rows)(height, depth, a + i * row + from * step, row, step, b + j * inner + from * PANEL,
                          c + i * stride + j, stride, accumulate || d > 0, columns - j < PANEL ? columns - j : PANEL);
      }
    }
  }
}

/// WIDTH × WIDTH values turned about their diagonal, from rows `from` apart, of which there are `count`, zeros standing for the
/// others, to rows PANEL apart.
TARGET INLINE void NAME(turn)(const float *in, size_t from, size_t count, float *out) {
  VECTOR v[WIDTH];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < WIDTH; i++) v[i] = i < count ? *(const VECTOR *)(in + i * from) : (VECTOR){};
#define TURN(s)                                                                                                 \
  _Pragma("clang loop unroll(full)") for (int i = 0; i < WIDTH; i++) if (!(i & s)) {                            \
    const VECTOR x = v[i], y = v[i + s];                                                                        \
    v[i] = __builtin_shufflevector(x, y, EACH_LANE(LOWER, s));                                                  \
    v[i + s] = __builtin_shufflevector(x, y, EACH_LANE(UPPER, s));                                              \
  }
#define LOWER(e, s) ((e) & (s) ? WIDTH + (e) - (s) : (e))
#define UPPER(e, s) ((e) & (s) ? WIDTH + (e) : (e) + (s))
#define FOUR(f, s, e) f(e, s), f(e + 1, s), f(e + 2, s), f(e + 3, s)
#if WIDTH == 16
#define EACH_LANE(f, s) FOUR(f, s, 0), FOUR(f, s, 4), FOUR(f, s, 8), FOUR(f, s, 12)
  TURN(8)
#elif WIDTH == 8
#define EACH_LANE(f, s) FOUR(f, s, 0), FOUR(f, s, 4)
#else
#define EACH_LANE(f, s) FOUR(f, s, 0)
#endif
#if WIDTH >= 8
  TURN(4)
#endif
  TURN(2)
  TURN(1)
#undef TURN
#undef LOWER
#undef UPPER
#undef FOUR
#undef EACH_LANE
#pragma clang loop unroll(full)
  for (int i = 0; i < WIDTH; i++) *(VECTOR *)(out + i * PANEL) = v[i];
}

TARGET static void NAME(pack)(size_t columns, size_t inner, const float *b, size_t step, size_t column, float *packed) {
  for (size_t j = 0; j < columns; j += PANEL, packed += inner * PANEL) {
    const size_t width = columns - j < PANEL ? columns - j : PANEL;
    const float *from = b + j * column;
    size_t p = 0;
    if (width == PANEL && column == 1) {
      for (; p < inner; p++) {
        *(VECTOR *)(packed + p * PANEL) = *(const VECTOR *)(from + p * step);
        *(VECTOR *)(packed + p * PANEL + WIDTH) = *(const VECTOR *)(from + p * step + WIDTH);
      }
    } else if (step == 1) {
      const size_t first = width < WIDTH ? width : WIDTH;
      for (; p + WIDTH <= inner; p += WIDTH) {
        NAME(turn)(from + p, column, first, packed + p * PANEL);
        NAME(turn)(from + p + WIDTH * column, column, width - first, packed + p * PANEL + WIDTH);
      }
    }
    for (; p < inner; p++) {
      for (size_t q = 0; q < width; q++) packed[p * PANEL + q] = from[p * step + q * column];
      for (size_t q = width; q < PANEL; q++) packed[p * PANEL + q] = 0;
    }
  }
}

static const pmae_multiplier NAME(multiplier) = {QUOTED(NAME()), PANEL, NAME(pack), NAME(multiply)};
#undef VECTOR
#undef PANEL
#undef ROWS
#undef WIDTH
#undef HEIGHT
#undef ADD_PRODUCT
#undef NAME
#undef TARGET
