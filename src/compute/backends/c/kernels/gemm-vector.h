/*
 * y = W x for a few rows of x at once (decoding): every weight is read once and used M times, so
 * memory sets the pace. Nothing of W is packed, and it is read from front to back, a row after the
 * other: one stream, which the hardware fetches far ahead (eight rows side by side came at half the
 * rate). A row's sum is kept in VECTOR_SUMS vectors, whose chains hide each other's latency. x is
 * short and every worker makes its own packed copy, so no barrier stands before the loop.
 */
#ifndef NUTSHELL_GEMM_VECTOR_H
#define NUTSHELL_GEMM_VECTOR_H

#include "gemm-block.h"
#include "vector-math.h"

enum { VECTOR_MAX_M = 4, VECTOR_COLS = 64, VECTOR_SUMS = LANES == 16 ? 4 : 2 };

/* LANES words from memory that is contiguous in k. */
INLINE WordVec load_line(const char* p, int type, int compute) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  if (compute == BF16 && type == BF16) return (WordVec)_mm512_loadu_si512(p);
  if (compute == BF16)
    return (WordVec)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(p + 64), _mm512_loadu_ps(p));
#endif
  Vec x = load_lanes(p, 0, type);
  return (WordVec)(compute == BF16 && type == F32 ? vec_round_bf16(x) : x);
}

INLINE Vec multiply_line(Vec sum, WordVec w, WordVec x, int compute) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  if (compute == BF16) return _mm512_dpbf16_ps(sum, (__m512bh)w, (__m512bh)x);
#endif
  (void)compute;
  return sum + (Vec)w * (Vec)x;
}

/* The last words of a row, zero beyond its end. */
INLINE WordVec load_tail(const char* p, long numbers, int type, int compute) {
  char whole[LANES * 8] = {0};
  memcpy(whole, p, (size_t)numbers * type_bytes(type));
  return load_line(whole, type, compute);
}

/** Words that pack_vector needs for one row of x of depth k. */
INLINE long vector_words(long k, int compute) { return round_up(steps_of(k, compute), LANES); }

/** Row m of x as words, padded with zeros to whole vectors. */
static void pack_vector(const Source* x, long m, long k, int compute, uint32_t* out) {
  for (long s = 0; s < vector_words(k, compute); s++)
    out[s] = s < steps_of(k, compute) ? word_at(x, m, m + 1, s, k, compute) : 0;
}

INLINE WordVec load_x(const uint32_t* x) {
  WordVec words;
  memcpy(&words, x, sizeof words);
  return words;
}

/* One row of W by `rows` rows of x. */
INLINE void dot_weights(const char* w, long k, const uint32_t* x, int rows, int type, int compute,
                        float (*out)[VECTOR_COLS]) {
  const long numbers = LANES * per_word(compute), bytes = numbers * (long)type_bytes(type);
  const long words = vector_words(k, compute);
  Vec sum[VECTOR_MAX_M][VECTOR_SUMS];
  UNROLL(4)
  for (int m = 0; m < rows; m++)
    UNROLL(4)
    for (int j = 0; j < VECTOR_SUMS; j++) sum[m][j] = (Vec){0};
  for (; k >= VECTOR_SUMS * numbers; k -= VECTOR_SUMS * numbers, x += VECTOR_SUMS * LANES)
    UNROLL(4)
    for (int j = 0; j < VECTOR_SUMS; j++, w += bytes) {
      WordVec line = load_line(w, type, compute);
      UNROLL(4)
      for (int m = 0; m < rows; m++)
        sum[m][j] = multiply_line(sum[m][j], line, load_x(x + m * words + j * LANES), compute);
    }
  for (; k > 0; k -= numbers, x += LANES, w += bytes) {
    WordVec line = k >= numbers ? load_line(w, type, compute) : load_tail(w, k, type, compute);
    UNROLL(4)
    for (int m = 0; m < rows; m++)
      sum[m][0] = multiply_line(sum[m][0], line, load_x(x + m * words), compute);
  }
  UNROLL(4)
  for (int m = 0; m < rows; m++) {
    Vec total = sum[m][0] + sum[m][1];
    if (VECTOR_SUMS == 4) total += sum[m][2] + sum[m][3];
    out[m][0] = vec_sum(total);
  }
}

/* out[m][0..n) = x[m] . W[n0..n0+n) for m < rows. */
INLINE void dot_lines(const Source* w, long n0, long n, long k, const uint32_t* x, int rows,
                      int type, int compute, float (*out)[VECTOR_COLS]) {
  for (long i = 0; i < n; i++)
    dot_weights(source_at(w, n0 + i, 0), k, x, rows, type, compute,
            (float (*)[VECTOR_COLS])(out[0] + i));
}

/** out[m][0..n) = x[m] . W[n0..n0+n) for m < rows, n <= VECTOR_COLS; x from pack_vector. */
KERNEL void dot_block(const Source* w, long n0, long n, long k, const uint32_t* x, long rows,
                      int compute, float (*out)[VECTOR_COLS]) {
#define CASE(r, t, c)                               \
  if (rows == r && w->type == t && compute == c) \
    dot_lines(w, n0, n, k, x, r, t, c, out);
#define CASES(r) CASE(r, F32, F32) CASE(r, F32, BF16) CASE(r, BF16, F32) CASE(r, BF16, BF16)
  CASES(1) CASES(2) CASES(3) CASES(4)
#undef CASES
#undef CASE
}

#endif
