/*
 * Operands of a product, laid out for the register tile.
 *
 * Everything is 32-bit words. A word is what one multiply-add eats per lane: one f32 number, or,
 * with native bf16, two numbers of consecutive k (the lower k in the low half). A packed panel is
 *
 *     word out[steps][width]     out[s][n] = numbers s*PER_WORD .. of column n
 *
 * with steps = ceil(K / per word); what lies outside the matrix is zero. B is cut into panels of
 * TILE_COLS columns (the last one as many vectors wide as it needs), A into panels of TILE_ROWS
 * rows, and the same function packs both: a "column" of A is one of its rows. Without native bf16
 * a bf16 product is an f32 product of rounded numbers, so it gives the same result.
 *
 * Two kinds of source. `n` contiguous: a row of the source is a row of the panel, words are made
 * side by side. `k` contiguous: a word is contiguous in the source, the panel is a transpose, done
 * in SQUARE x SQUARE blocks of registers.
 */
#ifndef NUTSHELL_PACK_H
#define NUTSHELL_PACK_H

#include "simd.h"

enum { PREFETCH_ROWS = 16 };

/** A matrix seen as [columns n, depth k]; kContiguous: src[n*ld + k], else src[k*ld + n]. */
typedef struct {
  const void* src;
  long ld;
  int type, kContiguous;
} Source;

INLINE int per_word(int compute) { return NATIVE_BF16 && compute == BF16 ? 2 : 1; }
INLINE long steps_of(long k, int compute) { return (k + per_word(compute) - 1) / per_word(compute); }

INLINE const char* source_at(const Source* s, long n, long k) {
  long index = s->kContiguous ? n * s->ld + k : k * s->ld + n;
  return (const char*)s->src + index * (long)type_bytes(s->type);
}

/* bf16 bit patterns of SQUARE f32 numbers, one in each word. */
INLINE Words rounded_bits(Words x) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  return __builtin_convertvector((Halves)_mm256_cvtneps_pbh((__m256)x), Words);
#else
  Words even = (x + 0x7fff + (x >> 16 & 1)) >> 16, nan = x >> 16 | 0x40;
  Words isNan = (Words)((x & 0x7fffffff) > 0x7f800000);
  return (nan & isNan) | (even & ~isNan);
#endif
}

/* SQUARE numbers from contiguous memory, one in each word, as f32 in the precision of compute. */
INLINE Words load_numbers(const char* p, int type, int compute) {
  if (type == BF16) return __builtin_convertvector(*(const HalvesAt*)p, Words) << 16;
  Words x = *(const WordsAt*)p;
  return compute == BF16 ? rounded_bits(x) << 16 : x;
}

/* SQUARE numbers from contiguous memory, one in each word, as bf16 bits. */
INLINE Words load_bits(const char* p, int type) {
  if (type == BF16) return __builtin_convertvector(*(const HalvesAt*)p, Words);
  return rounded_bits(*(const WordsAt*)p);
}

/* SQUARE words from memory that is contiguous in k. */
INLINE Words load_words(const char* p, int type, int compute) {
  if (per_word(compute) == 1) return load_numbers(p, type, compute);
#if defined(NUTSHELL_ISA_AVX512BF16)
  if (type == F32) return (Words)_mm512_cvtneps_pbh(_mm512_loadu_ps(p));
#endif
  return *(const WordsAt*)p;
}

/* SQUARE words of one step from memory that is contiguous in n. */
INLINE Words load_step(const char* p, long rowBytes, int type, int compute) {
  if (per_word(compute) == 1) return load_numbers(p, type, compute);
  return load_bits(p, type) | load_bits(p + rowBytes, type) << 16;
}

INLINE uint32_t number_at(const Source* s, long n, long k, int compute) {
  float x;
  if (s->type == BF16) x = bf16_to_f32(*(const uint16_t*)source_at(s, n, k));
  else x = *(const float*)source_at(s, n, k);
  if (compute == BF16) x = bf16_to_f32(f32_to_bf16(x));
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

/* Any word, one number at a time: the ragged edges. Zero outside n < cols, k < depth. */
static uint32_t word_at(const Source* s, long n, long cols, long step, long depth, int compute) {
  long k = step * per_word(compute);
  uint32_t low = n < cols ? number_at(s, n, k, compute) : 0;
  if (per_word(compute) == 1) return low;
  uint32_t high = n < cols && k + 1 < depth ? number_at(s, n, k + 1, compute) : 0;
  return low >> 16 | high;
}

static void pack_edge(const Source* s, long cols, long depth, long width, int compute, long n0,
                      long n1, long step0, long steps, uint32_t* out) {
  for (long i = step0; i < steps; i++)
    for (long n = n0; n < n1; n++)
      out[i * width + n] = word_at(s, n, cols, i, depth, compute);
}

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (Words){__VA_ARGS__})
#endif

/* One round shuffles the rows like a deck of cards; log2(SQUARE) rounds are a transpose. */
INLINE void shuffle_rows(const Words* in, Words* out) {
  UNROLL(8)
  for (int i = 0; i < SQUARE / 2; i++) {
    Words a = in[i], b = in[i + SQUARE / 2];
#if defined(NUTSHELL_ISA_AVX512BF16) || defined(NUTSHELL_ISA_AVX512F)
    out[2 * i] = SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    out[2 * i + 1] = SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    out[2 * i] = SHUFFLE(a, b, 0, 4, 1, 5);
    out[2 * i + 1] = SHUFFLE(a, b, 2, 6, 3, 7);
#endif
  }
}

INLINE void transpose(Words* t) {
  Words u[SQUARE];
  shuffle_rows(t, u);
  shuffle_rows(u, t);
  if (SQUARE == 4) return;
  shuffle_rows(t, u);
  memcpy(t, u, sizeof u);
}

INLINE void pack_square(const char* p, long columnBytes, int type, int compute, long width,
                        uint32_t* out) {
  Words t[SQUARE];
  UNROLL(8)
  for (int i = 0; i < SQUARE; i++) t[i] = load_words(p + i * columnBytes, type, compute);
  transpose(t);
  UNROLL(8)
  for (int i = 0; i < SQUARE; i++) *(WordsAt*)(out + i * width) = t[i];
}

/*
 * What whole blocks there are in a row of panels: `full` columns, `steps` steps. A panel is read
 * from many places at once, which no hardware prefetcher follows: the next one is fetched
 * meanwhile, from front to back.
 */
INLINE void pack_k_contiguous(const Source* s, long full, long steps, long width, long panelWords,
                              int type, int compute, uint32_t* out) {
  long columnBytes = s->ld * (long)type_bytes(type);
  long blockBytes = SQUARE * per_word(compute) * (long)type_bytes(type);
  for (long n0 = 0; n0 < full; n0 += width, out += panelWords) {
    const char* p = (const char*)s->src + n0 * columnBytes;
    const char* next = p + width * columnBytes;
    long n1 = full - n0 < width ? full - n0 : width;
    for (long i = 0; i < steps; i += SQUARE, p += blockBytes)
      for (long n = 0; n < n1; n += SQUARE) {
        for (int b = 0; b < SQUARE * blockBytes; b += 64) __builtin_prefetch(next + b);
        next += SQUARE * blockBytes;
        pack_square(p + n * columnBytes, columnBytes, type, compute, width, out + i * width + n);
      }
  }
}

/* Rows may lie a page apart, where no hardware prefetcher follows: ask for them in time. */
INLINE void pack_n_contiguous(const Source* s, long full, long steps, long width, long panelWords,
                              int type, int compute, uint32_t* out) {
  long bytes = (long)type_bytes(type), rowBytes = s->ld * bytes;
  for (long i = 0; i < steps; i++) {
    const char* row = (const char*)s->src + i * per_word(compute) * rowBytes;
    for (int r = 0; r < per_word(compute); r++)
      for (long n = 0; n < full * bytes; n += 64)
        __builtin_prefetch(row + (PREFETCH_ROWS + r) * rowBytes + n);
    for (long n0 = 0; n0 < full; n0 += width) {
      uint32_t* to = out + n0 / width * panelWords + i * width;
      long n1 = full - n0 < width ? full : n0 + width;
      for (long n = n0; n < n1; n += SQUARE, to += SQUARE)
        *(WordsAt*)to = load_step(row + n * bytes, rowBytes, type, compute);
    }
  }
}

/**
 * Packs columns 0..cols-1 of the source, all of 0..depth-1, into panels of `width` columns, each
 * [steps_of(depth)][width], panelWords from one to the next.
 * @param width a multiple of SQUARE
 * @param filled columns of each panel that are written, with zeros where the source has none: all,
 *   or, of a single panel whose columns come from several sources, as many as this one gives
 */
KERNEL void pack_part(const Source* s, long cols, long depth, long width, long filled,
                      long panelWords, int compute, uint32_t* out) {
  long steps = steps_of(depth, compute);
  long full = cols - cols % SQUARE, whole = depth / per_word(compute);
  if (s->kContiguous) whole -= whole % SQUARE;
#define CASE(k, t, c)                                                               \
  if (s->kContiguous == k && s->type == t && compute == c) {                        \
    if (k) pack_k_contiguous(s, full, whole, width, panelWords, t, c, out);         \
    else pack_n_contiguous(s, full, whole, width, panelWords, t, c, out);           \
  }
  CASE(0, F32, F32) CASE(0, F32, BF16) CASE(0, BF16, F32) CASE(0, BF16, BF16)
  CASE(1, F32, F32) CASE(1, F32, BF16) CASE(1, BF16, F32) CASE(1, BF16, BF16)
#undef CASE
  for (long n0 = 0; n0 < cols; n0 += width, out += panelWords) {
    long n1 = full < n0 + width ? full : n0 + width;
    Source panel = {source_at(s, n0, 0), s->ld, s->type, s->kContiguous};
    if (n1 < n0 + filled)
      pack_edge(&panel, cols - n0, depth, width, compute, n1 - n0, filled, 0, whole, out);
    if (whole < steps)
      pack_edge(&panel, cols - n0, depth, width, compute, 0, filled, whole, steps, out);
  }
}

/** The same of one source: the last panel is filled up with zeros. */
static void pack_panels(const Source* s, long cols, long depth, long width, long panelWords,
                        int compute, uint32_t* out) {
  pack_part(s, cols, depth, width, width, panelWords, compute, out);
}

#endif
