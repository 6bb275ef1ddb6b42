/*
 * Products of small blocks by one thread: what fused attention and cross-entropy are made of.
 *
 * Operands are meant to lie in L2. B is packed once and used by many rows. A is either packed too,
 * or row-major numbers of word_type(compute) with an even depth, used where they are.
 *
 *     pack_columns(&k, n, d, BF16, packed);                        // K block [n, d]
 *     block_gemm(m, n, d, plain_rows(q, ld), packed, BF16, s, n, 0);   // S[m, n] = Q . K^T
 */
#ifndef NUTSHELL_GEMM_BLOCK_H
#define NUTSHELL_GEMM_BLOCK_H

#include "gemm-tile.h"

INLINE long at_most(long a, long b) { return a < b ? a : b; }
INLINE long round_up(long x, long unit) { return (x + unit - 1) / unit * unit; }

/** The type in which row-major numbers are already the words of a product. */
INLINE int word_type(int compute) { return NATIVE_BF16 && compute == BF16 ? BF16 : F32; }

/** Words in a packed B of n columns and depth k. */
INLINE size_t columns_words(long n, long k, int compute) {
  return (size_t)(round_up(n, LANES) * steps_of(k, compute));
}

/* From one packed tile of A to the next: an odd number of cache lines, so that the tiles, which
 * are written side by side, do not all fall into one set of L1. */
INLINE long tile_words(long k, int compute) {
  enum { LINE = 16 };
  return ((steps_of(k, compute) * TILE_ROWS + LINE - 1) / LINE | 1) * LINE;
}

/** Words in a packed A of m rows and depth k. */
INLINE size_t rows_words(long m, long k, int compute) {
  return (size_t)((m + TILE_ROWS - 1) / TILE_ROWS * tile_words(k, compute));
}

/** One panel of B, TILE_COLS columns from n0 (fewer at the right edge). */
static void pack_column_panel(const Source* b, long n, long k, int compute, long n0,
                              uint32_t* out) {
  Source from = {source_at(b, n0, 0), b->ld, b->type, b->kContiguous};
  long cols = at_most(TILE_COLS, n - n0);
  pack_panels(&from, cols, k, round_up(cols, LANES), 0, compute, out);
}

/** Packs B, n columns of depth k; out holds columns_words(n, k). */
static void pack_columns(const Source* b, long n, long k, int compute, uint32_t* out) {
  for (long n0 = 0; n0 < n; n0 += TILE_COLS)
    pack_column_panel(b, n, k, compute, n0, out + n0 * steps_of(k, compute));
}

/** Packs A, m rows of depth k (its rows are the columns of Source); out holds rows_words(m, k). */
static Rows pack_rows(const Source* a, long m, long k, int compute, uint32_t* out) {
  pack_panels(a, m, k, TILE_ROWS, tile_words(k, compute), compute, out);
  return (Rows){(const char*)out, 4, 4 * TILE_ROWS, 4 * tile_words(k, compute)};
}

/** Row-major numbers of word_type(compute), k contiguous, as they are; depth must be whole words. */
INLINE Rows plain_rows(const void* a, long lda, int compute) {
  long rowBytes = lda * (long)type_bytes(word_type(compute));
  return (Rows){a, rowBytes, 4, TILE_ROWS * rowBytes};
}

INLINE void copy_row(float* c, const float* sums, long n, int accumulate) {
  if (accumulate)
    for (long i = 0; i < n; i++) c[i] += sums[i];
  else
    for (long i = 0; i < n; i++) c[i] = sums[i];
}

/** C[m, n] (+)= A[m, k] . B[k, n]; all of A, B and one row of tiles of C at home in the cache. */
static void block_gemm(long m, long n, long k, Rows a, const uint32_t* b, int compute, float* c,
                       long ldc, int accumulate) {
  long steps = steps_of(k, compute);
  for (long n0 = 0; n0 < n; n0 += TILE_COLS) {
    long cols = at_most(TILE_COLS, n - n0), vectors = round_up(cols, LANES) / LANES;
    for (long m0 = 0; m0 < m; m0 += TILE_ROWS) {
      Rows at = a;
      at.at += m0 / TILE_ROWS * a.tileBytes;
      int rows = (int)at_most(TILE_ROWS, m - m0);
      float* to = c + m0 * ldc + n0;
      if (cols == vectors * LANES) {
        run_tile(compute, rows, (int)vectors, at, b + n0 * steps, steps, to, ldc, accumulate);
        continue;
      }
      float sums[TILE_ROWS * TILE_COLS];
      run_tile(compute, rows, (int)vectors, at, b + n0 * steps, steps, sums, TILE_COLS, 0);
      for (int r = 0; r < rows; r++) copy_row(to + r * ldc, sums + r * TILE_COLS, cols, accumulate);
    }
  }
}

#endif
