/*
 * Quantised matrices as src/compute/quants.ts lays them out: QUANT_PANEL rows side by side, so that
 * a vector of words is LANES rows at the same columns and nothing has to be transposed. Here they
 * become numbers: whole rows by id, or panels of a product's B, unpacked on their way into scratch.
 */
#ifndef NUTSHELL_QUANTS_H
#define NUTSHELL_QUANTS_H

#include "gemm-block.h"
#include "vector-math.h"

enum { QUANT_PANEL = 16, QUANT_BLOCK = 32 };

/** A matrix [rows, depth] of type Q8_0 or Q4_0. */
typedef struct {
  const uint32_t* words;
  const uint16_t* scales;
  long depth;
  int type;
} Quants;

/** Columns in one word. */
INLINE int quant_columns(int type) { return type == Q8_0 ? 4 : 8; }

/** Words from row n (and the rows beside it) on; the next columns are QUANT_PANEL words further. */
INLINE const uint32_t* quant_words(const Quants* q, long n) {
  return q->words + n / QUANT_PANEL * QUANT_PANEL * (q->depth / quant_columns(q->type)) +
         n % QUANT_PANEL;
}

/** Scales of the same rows, QUANT_PANEL from block to block. */
INLINE const uint16_t* quant_scales(const Quants* q, long n) {
  return q->scales + n / QUANT_PANEL * QUANT_PANEL * (q->depth / QUANT_BLOCK) + n % QUANT_PANEL;
}

/** LANES finite f16 numbers. */
INLINE Vec load_f16(const uint16_t* p) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p));
#else
  /* Exponents are shifted; below the smallest, numbers are multiples of 2^-24. */
  WordVec half = __builtin_convertvector(*(const HalfVecAt*)p, WordVec), size = half & 0x7fff;
  Vec small = __builtin_convertvector((IntVec)size, Vec) * 0x1p-24f;
  Vec x = vec_select((IntVec)(size < 0x400), small, (Vec)((size << 13) + (112u << 23)));
  return (Vec)((WordVec)x | (half & 0x8000) << 16);
#endif
}

/** The numbers in one column of LANES words, as whole numbers. */
INLINE IntVec quant_numbers(WordVec words, int column, int type) {
  if (type == Q8_0) return (IntVec)(words << (24 - 8 * column)) >> 24;
  return (IntVec)(words >> (8 * (column & 3) + 4 * (column >> 2)) & 15) - 8;
}

INLINE Vec quant_weights(WordVec words, int column, int type, Vec scale) {
  return __builtin_convertvector(quant_numbers(words, column, type), Vec) * scale;
}

/* Two neighbours of LANES rows as words of a bf16 product. */
INLINE WordVec paired_words(Vec low, Vec high) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  const WordVec side_by_side = {0x100000, 0x110001, 0x120002, 0x130003, 0x140004, 0x150005,
                                0x160006, 0x170007, 0x180008, 0x190009, 0x1a000a, 0x1b000b,
                                0x1c000c, 0x1d000d, 0x1e000e, 0x1f000f};
  __m512i both = (__m512i)_mm512_cvtne2ps_pbh(high, low);
  return (WordVec)_mm512_permutexvar_epi16((__m512i)side_by_side, both);
#else
  return (WordVec)low >> 16 | ((WordVec)high & 0xffff0000);
#endif
}

INLINE void word_store(uint32_t* out, WordVec words) { memcpy(out, &words, sizeof words); }

/* LANES columns of a panel `width` wide: words of all their depth. */
INLINE void unpack_lanes(const Quants* q, long n, long width, int type, int compute,
                         uint32_t* out) {
  const int columns = quant_columns(type);
  const uint32_t* words = quant_words(q, n);
  const uint16_t* scales = quant_scales(q, n);
  for (long k = 0; k < q->depth; k += QUANT_BLOCK, scales += QUANT_PANEL) {
    Vec scale = load_f16(scales);
    UNROLL(8)
    for (int i = 0; i < QUANT_BLOCK; i += columns, words += QUANT_PANEL) {
      WordVec word;
      memcpy(&word, words, sizeof word);
      UNROLL(8)
      for (int c = 0; c < columns; c += per_word(compute), out += width) {
        Vec x = quant_weights(word, c, type, scale);
        if (per_word(compute) == 2)
          word_store(out, paired_words(x, quant_weights(word, c + 1, type, scale)));
        else word_store(out, (WordVec)(compute == BF16 ? vec_round_bf16(x) : x));
      }
    }
  }
}

/** A panel of B, TILE_COLS columns from n0 (fewer at the right edge). */
KERNEL void unpack_column_panel(const Quants* q, long n, int compute, long n0, uint32_t* out) {
  long width = round_up(at_most(TILE_COLS, n - n0), LANES);
#define CASE(t, c)                     \
  if (q->type == t && compute == c) \
    for (long v = 0; v < width; v += LANES) unpack_lanes(q, n0 + v, width, t, c, out + v);
  CASE(Q8_0, F32) CASE(Q8_0, BF16) CASE(Q4_0, F32) CASE(Q4_0, BF16)
#undef CASE
}

INLINE float f16_to_f32(uint16_t half) {
  uint16_t halves[LANES] = {half};
  return load_f16(halves)[0];
}

/* One row of the matrix as f32. */
INLINE void unpack_row(const Quants* q, long n, int type, float* out) {
  const int columns = quant_columns(type);
  const uint32_t* words = quant_words(q, n);
  const uint16_t* scales = quant_scales(q, n);
  for (long k = 0; k < q->depth; k += columns, words += QUANT_PANEL) {
    float scale = f16_to_f32(scales[k / QUANT_BLOCK * QUANT_PANEL]);
    for (int c = 0; c < columns; c++) {
      int number = type == Q8_0 ? (int8_t)(*words >> 8 * c)
                                : (int)(*words >> (8 * (c & 3) + 4 * (c >> 2)) & 15) - 8;
      out[k + c] = (float)number * scale;
    }
  }
}

#endif
