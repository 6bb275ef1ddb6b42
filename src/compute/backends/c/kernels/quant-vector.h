/*
 * y = W x for few rows of x and quantised W: memory sets the pace, so weights are read once and
 * stay as they are. Where the machine multiplies bytes (AVX-512 VNNI), each block of x becomes
 * whole numbers of 16 bits, in two bytes, and products are exact:
 *
 *     x = scale * (256 high + low)        |x| <= 32512 scale, so x is rounded to 2^-16 of its
 *                                         block's largest: far less than bf16 takes from it
 *     sum W x = dW * scale * (256 sum(w high) + sum(w low))
 *
 * The instruction wants one unsigned side: stored bytes read that way are w + 128 (nibbles w + 8),
 * and what that adds, 128 times the sum of x, is where the sum begins. A word of x meets the words
 * of 16 rows of W in one instruction. Elsewhere weights become f32 as they come.
 *
 * A row of y depends on its own x alone, bit for bit: not on the other rows, nor on their number.
 */
#ifndef NUTSHELL_QUANT_VECTOR_H
#define NUTSHELL_QUANT_VECTOR_H

#include "gemm-vector.h"
#include "quants.h"

#if defined(NUTSHELL_ISA_AVX512BF16) && defined(__AVX512VNNI__)
#define QUANT_BYTES
#endif

#if defined(QUANT_BYTES)
/** As many rows of x as this serves at least as well as unpacked panels do. */
enum { QUANT_MAX_M = 64, QUANT_ROWS = 8 };

/** QUANT_BLOCK numbers of x. */
typedef struct {
  int32_t high[QUANT_BLOCK / 4], low[QUANT_BLOCK / 4];
  float scale;
  int32_t start;
} QuantX;

INLINE void quantize_block(const void* x, long at, int type, int bias, QuantX* out) {
  enum { LARGEST = 127 * 256 };
  Vec a = load_lanes(x, at, type), b = load_lanes(x, at + LANES, type);
  const __m512i size = _mm512_set1_epi32(0x7fffffff);
  __m512i sizes = _mm512_max_epu32(_mm512_and_si512((__m512i)a, size),
                                   _mm512_and_si512((__m512i)b, size));
  float top = float_of_bits((int32_t)_mm512_reduce_max_epu32(sizes));
  float inverse = top > 1e-30f ? LARGEST / top : 0;
  __m512i i = _mm512_cvtps_epi32(a * inverse), j = _mm512_cvtps_epi32(b * inverse);
  const __m512i half = _mm512_set1_epi32(128);
  __m512i ih = _mm512_srai_epi32(_mm512_add_epi32(i, half), 8);
  __m512i jh = _mm512_srai_epi32(_mm512_add_epi32(j, half), 8);
  _mm_storeu_si128((__m128i*)out->high, _mm512_cvtepi32_epi8(ih));
  _mm_storeu_si128((__m128i*)out->high + 1, _mm512_cvtepi32_epi8(jh));
  _mm_storeu_si128((__m128i*)out->low, _mm512_cvtepi32_epi8(i));
  _mm_storeu_si128((__m128i*)out->low + 1, _mm512_cvtepi32_epi8(j));
  /* Not finite: bytes mean nothing, and the scale says so. */
  out->scale = top < INFINITY ? top / LARGEST : NAN;
  out->start = -bias * _mm512_reduce_add_epi32(_mm512_add_epi32(i, j));
}

/* Bytes of 16 rows as the unsigned side: word i of a block, columns 4 i .. 4 i + 3. */
INLINE __m512i quant_bytes(const uint32_t* block, int i, int type) {
  if (type == Q8_0)
    return _mm512_xor_si512(_mm512_loadu_si512(block + i * QUANT_PANEL),
                            _mm512_set1_epi32((int)0x80808080));
  __m512i word = _mm512_loadu_si512(block + i / 2 * QUANT_PANEL);
  return _mm512_and_si512(i % 2 ? _mm512_srli_epi32(word, 4) : word,
                          _mm512_set1_epi32(0x0f0f0f0f));
}

/* out[m][p * 16 ..] for `rows` rows of x and `panels` panels of W. */
INLINE void quant_tile(const Quants* q, long n0, int type, int panels, int rows, const QuantX* x,
                       float (*out)[VECTOR_COLS]) {
  const long blocks = q->depth / QUANT_BLOCK;
  const long blockWords = QUANT_BLOCK / quant_columns(type) * QUANT_PANEL;
  const long panelWords = blocks * blockWords;
  const int lines = quant_columns(type) / 4;
  const uint32_t* words = quant_words(q, n0);
  const uint16_t* scales = quant_scales(q, n0);
  __m512 sum[4][QUANT_ROWS];
  UNROLL(4)
  for (int p = 0; p < panels; p++)
    UNROLL(8)
    for (int m = 0; m < rows; m++) sum[p][m] = _mm512_setzero_ps();
  for (long b = 0; b < blocks; b++, words += blockWords, scales += QUANT_PANEL) {
    __m512i high[4][QUANT_ROWS], low[4][QUANT_ROWS];
    UNROLL(4)
    for (int p = 0; p < panels; p++)
      UNROLL(8)
      for (int m = 0; m < rows; m++) {
        high[p][m] = _mm512_setzero_si512();
        low[p][m] = _mm512_set1_epi32(x[m * blocks + b].start);
      }
    UNROLL(8)
    for (int i = 0; i < QUANT_BLOCK / 4; i++)
      UNROLL(4)
      for (int p = 0; p < panels; p++) {
        const uint32_t* block = words + p * panelWords;
        __m512i w = quant_bytes(block, i, type);
        /* The arithmetic fills the processor's window, so the next panels are asked for here. */
        if (i % lines == 0)
          __builtin_prefetch(block + panels * panelWords + i / lines * QUANT_PANEL);
        UNROLL(8)
        for (int m = 0; m < rows; m++) {
          const QuantX* xb = x + m * blocks + b;
          high[p][m] = _mm512_dpbusd_epi32(high[p][m], w, _mm512_set1_epi32(xb->high[i]));
          low[p][m] = _mm512_dpbusd_epi32(low[p][m], w, _mm512_set1_epi32(xb->low[i]));
        }
      }
    UNROLL(4)
    for (int p = 0; p < panels; p++) {
      __m512 scale = load_f16(scales + p * blocks * QUANT_PANEL);
      UNROLL(8)
      for (int m = 0; m < rows; m++) {
        __m512i whole = _mm512_add_epi32(_mm512_slli_epi32(high[p][m], 8), low[p][m]);
        __m512 both = _mm512_mul_ps(scale, _mm512_set1_ps(x[m * blocks + b].scale));
        sum[p][m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole), both, sum[p][m]);
      }
    }
  }
  UNROLL(4)
  for (int p = 0; p < panels; p++)
    UNROLL(8)
    for (int m = 0; m < rows; m++) _mm512_storeu_ps(out[m] + p * QUANT_PANEL, sum[p][m]);
}
#else
enum { QUANT_MAX_M = VECTOR_MAX_M, QUANT_ROWS = VECTOR_MAX_M };

typedef struct {
  float x[QUANT_BLOCK];
} QuantX;

INLINE void quantize_block(const void* x, long at, int type, int bias, QuantX* out) {
  (void)bias;
  for (int i = 0; i < QUANT_BLOCK; i++) out->x[i] = load_number(x, at + i, type);
}

/* out[m][0..16 panels) for `rows` rows of x, LANES rows of W at a time. */
INLINE void quant_tile(const Quants* q, long n0, int type, int panels, int rows, const QuantX* x,
                       float (*out)[VECTOR_COLS]) {
  const long blocks = q->depth / QUANT_BLOCK;
  const int columns = quant_columns(type);
  for (long n = 0; n < panels * QUANT_PANEL; n += LANES) {
    const uint32_t* words = quant_words(q, n0 + n);
    const uint16_t* scales = quant_scales(q, n0 + n);
    Vec sum[QUANT_MAX_M] = {{0}};
    for (long b = 0; b < blocks; b++, scales += QUANT_PANEL) {
      Vec part[QUANT_MAX_M] = {{0}}, scale = load_f16(scales);
      for (int i = 0; i < QUANT_BLOCK; i += columns, words += QUANT_PANEL) {
        WordVec word;
        memcpy(&word, words, sizeof word);
        UNROLL(8)
        for (int c = 0; c < columns; c++) {
          Vec w = __builtin_convertvector(quant_numbers(word, c, type), Vec);
          UNROLL(4)
          for (int m = 0; m < rows; m++) part[m] += w * x[m * blocks + b].x[i + c];
        }
      }
      UNROLL(4)
      for (int m = 0; m < rows; m++) sum[m] += part[m] * scale;
    }
    UNROLL(4)
    for (int m = 0; m < rows; m++) memcpy(out[m] + n, &sum[m], sizeof sum[m]);
  }
}
#endif

/** Blocks of row m of x; the row must be contiguous. */
static void quantize_row(const Source* x, long m, long k, int weightType, QuantX* out) {
  const void* row = source_at(x, m, 0);
  const int bias = weightType == Q8_0 ? 128 : 8;
  for (long b = 0; b < k / QUANT_BLOCK; b++)
    if (x->type == BF16) quantize_block(row, b * QUANT_BLOCK, BF16, bias, out + b);
    else quantize_block(row, b * QUANT_BLOCK, F32, bias, out + b);
}

typedef void (*QuantDot)(const Quants* q, long n0, long n, const QuantX* x,
                         float (*out)[VECTOR_COLS]);

/* Up to VECTOR_COLS rows of W from n0 on, so many panels at a time that sums stay in registers. */
#define DEFINE_QUANT_DOT(name, type, rows, panels)                                            \
  KERNEL void name(const Quants* q, long n0, long n, const QuantX* x,                         \
                   float (*out)[VECTOR_COLS]) {                                               \
    long i = 0;                                                                               \
    for (; i + (panels - 1) * QUANT_PANEL < n; i += panels * QUANT_PANEL)                     \
      quant_tile(q, n0 + i, type, panels, rows, x, (float (*)[VECTOR_COLS])(out[0] + i));     \
    for (; i < n; i += QUANT_PANEL)                                                           \
      quant_tile(q, n0 + i, type, 1, rows, x, (float (*)[VECTOR_COLS])(out[0] + i));          \
  }
#define DEFINE_QUANT_DOTS(rows, panels)                       \
  DEFINE_QUANT_DOT(quant_dot_8_##rows, Q8_0, rows, panels) \
  DEFINE_QUANT_DOT(quant_dot_4_##rows, Q4_0, rows, panels)
DEFINE_QUANT_DOTS(1, 4)
DEFINE_QUANT_DOTS(2, 4)
DEFINE_QUANT_DOTS(3, 2)
DEFINE_QUANT_DOTS(4, 2)
#if defined(QUANT_BYTES)
DEFINE_QUANT_DOTS(5, 1)
DEFINE_QUANT_DOTS(6, 1)
DEFINE_QUANT_DOTS(7, 1)
DEFINE_QUANT_DOTS(8, 1)
#endif

/* [4 bits][rows - 1] */
static const QuantDot QUANT_DOTS[2][QUANT_ROWS] = {
#if defined(QUANT_BYTES)
    {quant_dot_8_1, quant_dot_8_2, quant_dot_8_3, quant_dot_8_4, quant_dot_8_5, quant_dot_8_6,
     quant_dot_8_7, quant_dot_8_8},
    {quant_dot_4_1, quant_dot_4_2, quant_dot_4_3, quant_dot_4_4, quant_dot_4_5, quant_dot_4_6,
     quant_dot_4_7, quant_dot_4_8},
#else
    {quant_dot_8_1, quant_dot_8_2, quant_dot_8_3, quant_dot_8_4},
    {quant_dot_4_1, quant_dot_4_2, quant_dot_4_3, quant_dot_4_4},
#endif
};

#endif
