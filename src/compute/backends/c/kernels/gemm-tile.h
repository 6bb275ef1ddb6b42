/*
 * The register tile: rows x (vectors * LANES) sums, held in registers for a whole run of k.
 *
 * Per step it reads `vectors` vectors of packed B, broadcasts one word of each row of A, and makes
 * rows * vectors multiply-adds. On Zen 4 that is 24 multiply-adds in 24 cycles, 11 loads and 192
 * bytes of B, which come from L2 at 8 bytes per cycle: the loop runs at the multiplier's rate as
 * long as its B panel is in L2. A is read by words through two strides, so rows of a plain
 * row-major matrix (k contiguous) serve as they are and a packed panel as well. Rows left over by
 * the tile go one at a time. What is already in C is added at the end, when a prefetch made at the
 * start has brought it.
 */
#ifndef NUTSHELL_GEMM_TILE_H
#define NUTSHELL_GEMM_TILE_H

#include "pack.h"

/**
 * Words of A. Tile t starts at `at + t * tileBytes`; in it, word(row, step) is at
 * row * rowBytes + step * stepBytes.
 */
typedef struct {
  const char* at;
  long rowBytes, stepBytes, tileBytes;
} Rows;

INLINE Vec load_vec(const void* p) { return *(const VecAt*)p; }
INLINE void store_vec(float* p, Vec x) { *(VecAt*)p = x; }

/* sum + b * word, lane by lane; a word is one f32 or two bf16. */
INLINE Vec multiply_add(Vec sum, Vec b, const char* word, int compute) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  if (compute == BF16) {
    int pair;
    memcpy(&pair, word, 4);
    return _mm512_dpbf16_ps(sum, (__m512bh)b, (__m512bh)_mm512_set1_epi32(pair));
  }
#endif
  (void)compute;
  float x;
  memcpy(&x, word, 4);
  return sum + b * x;
}

INLINE void tile(int compute, int rows, int vectors, Rows a, const uint32_t* b, long steps,
                 float* c, long ldc, int accumulate) {
  Vec sum[TILE_ROWS][TILE_VECTORS];
  UNROLL(8)
  for (int r = 0; r < rows; r++)
    UNROLL(3)
    for (int v = 0; v < vectors; v++) sum[r][v] = (Vec){0};
  for (long s = 0; s < steps; s++, a.at += a.stepBytes, b += vectors * LANES) {
    Vec bv[TILE_VECTORS];
    UNROLL(3)
    for (int v = 0; v < vectors; v++) bv[v] = load_vec(b + v * LANES);
    UNROLL(8)
    for (int r = 0; r < rows; r++)
      UNROLL(3)
      for (int v = 0; v < vectors; v++)
        sum[r][v] = multiply_add(sum[r][v], bv[v], a.at + r * a.rowBytes, compute);
  }
  UNROLL(8)
  for (int r = 0; r < rows; r++)
    UNROLL(3)
    for (int v = 0; v < vectors; v++) {
      float* to = c + r * ldc + v * LANES;
      store_vec(to, accumulate ? load_vec(to) + sum[r][v] : sum[r][v]);
    }
}

typedef void (*Tile)(Rows a, const uint32_t* b, long steps, float* c, long ldc, int accumulate);

#define DEFINE_TILE(name, compute, rows, vectors)                                        \
  KERNEL void name(Rows a, const uint32_t* b, long steps, float* c, long ldc, int add) { \
    if (add) tile(compute, rows, vectors, a, b, steps, c, ldc, 1);                       \
    else tile(compute, rows, vectors, a, b, steps, c, ldc, 0);                           \
  }
DEFINE_TILE(tile_f32_1, F32, TILE_ROWS, 1)
DEFINE_TILE(tile_f32_2, F32, TILE_ROWS, 2)
DEFINE_TILE(tile_f32_3, F32, TILE_ROWS, 3)
DEFINE_TILE(row_f32_1, F32, 1, 1)
DEFINE_TILE(row_f32_2, F32, 1, 2)
DEFINE_TILE(row_f32_3, F32, 1, 3)
#if defined(NUTSHELL_ISA_AVX512BF16)
DEFINE_TILE(tile_bf16_1, BF16, TILE_ROWS, 1)
DEFINE_TILE(tile_bf16_2, BF16, TILE_ROWS, 2)
DEFINE_TILE(tile_bf16_3, BF16, TILE_ROWS, 3)
DEFINE_TILE(row_bf16_1, BF16, 1, 1)
DEFINE_TILE(row_bf16_2, BF16, 1, 2)
DEFINE_TILE(row_bf16_3, BF16, 1, 3)
#endif

/* [compute][one row][vectors - 1] */
static const Tile TILES[2][2][TILE_VECTORS] = {
    {{tile_f32_1, tile_f32_2, tile_f32_3}, {row_f32_1, row_f32_2, row_f32_3}},
#if defined(NUTSHELL_ISA_AVX512BF16)
    {{tile_bf16_1, tile_bf16_2, tile_bf16_3}, {row_bf16_1, row_bf16_2, row_bf16_3}},
#else
    {{tile_f32_1, tile_f32_2, tile_f32_3}, {row_f32_1, row_f32_2, row_f32_3}},
#endif
};

/** C[0..rows)[0..vectors*LANES) (+)= A . B for rows <= TILE_ROWS; `steps` words of k. */
INLINE void run_tile(int compute, int rows, int vectors, Rows a, const uint32_t* b, long steps,
                     float* c, long ldc, int accumulate) {
  if (rows == TILE_ROWS) {
    TILES[compute][0][vectors - 1](a, b, steps, c, ldc, accumulate);
    return;
  }
  for (int r = 0; r < rows; r++, a.at += a.rowBytes, c += ldc)
    TILES[compute][1][vectors - 1](a, b, steps, c, ldc, accumulate);
}

#endif
