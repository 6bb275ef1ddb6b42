/*
 * y = W x for a few rows of x at once (decoding): every weight is read once and used M times, so
 * memory sets the pace. Nothing of W is packed. A worker takes VECTOR_COLS rows of W, and runs 8 of
 * them side by side: eight streams for the prefetcher, eight independent sums. x is short and
 * every worker makes its own packed copy, so no barrier stands before the loop.
 */
#ifndef NUTSHELL_GEMM_VECTOR_H
#define NUTSHELL_GEMM_VECTOR_H

#include "gemm-block.h"

enum { VECTOR_MAX_M = 4, VECTOR_COLS = 64, VECTOR_ROWS = 8 };

INLINE Words multiply_words(Words sum, Words w, Words x, int compute) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  if (compute == BF16) return (Words)_mm256_dpbf16_ps((__m256)sum, (__m256bh)w, (__m256bh)x);
#endif
  (void)compute;
  return (Words)((Floats)sum + (Floats)w * (Floats)x);
}

INLINE float sum_lanes(Floats x) {
  float sum = 0;
  for (int i = 0; i < SQUARE; i++) sum += x[i];
  return sum;
}

/* The last words of a row, zero beyond its end. */
INLINE Words load_tail(const char* p, long numbers, int type, int compute) {
  char whole[SQUARE * 8] = {0};
  memcpy(whole, p, (size_t)numbers * type_bytes(type));
  return load_words(whole, type, compute);
}

/* out[0..8) = eight rows of W . x; rows past `last` repeat it. */
INLINE void dot_rows(const Source* w, long n0, long last, long k, const uint32_t* x, int type,
                     int compute, float* out) {
  long numbers = SQUARE * per_word(compute), bytes = (long)type_bytes(type), done = 0;
  const char* row[VECTOR_ROWS];
  Words sum[VECTOR_ROWS] = {{0}};
  for (int r = 0; r < VECTOR_ROWS; r++) row[r] = source_at(w, at_most(n0 + r, last), 0);
  for (; done + numbers <= k; done += numbers, x += SQUARE) {
    Words xv = *(const WordsAt*)x;
    UNROLL(8)
    for (int r = 0; r < VECTOR_ROWS; r++)
      sum[r] = multiply_words(sum[r], load_words(row[r] + done * bytes, type, compute), xv, compute);
  }
  for (int r = 0; r < VECTOR_ROWS; r++) {
    if (done < k)
      sum[r] = multiply_words(sum[r], load_tail(row[r] + done * bytes, k - done, type, compute),
                              *(const WordsAt*)x, compute);
    out[r] = sum_lanes((Floats)sum[r]);
  }
}

/** Words that pack_vector needs for one row of x of depth k. */
INLINE long vector_words(long k, int compute) { return round_up(steps_of(k, compute), SQUARE); }

/** Row m of x as words, padded with zeros to whole vectors. */
static void pack_vector(const Source* x, long m, long k, int compute, uint32_t* out) {
  for (long s = 0; s < vector_words(k, compute); s++)
    out[s] = s < steps_of(k, compute) ? word_at(x, m, m + 1, s, k, compute) : 0;
}

/** out[m][0..n) = x[m] . W[n0..n0+n) for m < rows, n <= VECTOR_COLS; x from pack_vector. */
KERNEL void dot_block(const Source* w, long n0, long n, long k, const uint32_t* x, long rows,
                      int compute, float (*out)[VECTOR_COLS]) {
  for (long i = 0; i < n; i += VECTOR_ROWS)
    for (long m = 0; m < rows; m++) {
      const uint32_t* xm = x + m * vector_words(k, compute);
#define CASE(t, c)                     \
  if (w->type == t && compute == c) \
    dot_rows(w, n0 + i, n0 + n - 1, k, xm, t, c, out[m] + i);
      CASE(F32, F32) CASE(F32, BF16) CASE(BF16, F32) CASE(BF16, BF16)
#undef CASE
    }
}

#endif
