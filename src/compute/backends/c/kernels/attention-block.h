/*
 * What attention's forward and backward share: sizes, which keys a query sees, where heads lie,
 * and products with a part of a packed operand.
 *
 * Work is done in tiles of TILE rows (queries forward, keys backward) against runs of at most RUN
 * columns. Both are multiples of the packed panels' width, so a tile can start at any panel and
 * skip what the mask hides.
 */
#ifndef NUTSHELL_ATTENTION_BLOCK_H
#define NUTSHELL_ATTENTION_BLOCK_H

#include "gemm-block.h"
#include "places.h"
#include "thread-pool.h"
#include "vector-math.h"

enum { TILE = 48, RUN = 480 };

typedef struct {
  long B, T, S, H, K, D, window;
  Places places; /* without a first position the last query stands at the last key */
  long text, first; /* that row_of chose; S then ends at its first missing page */
  const void *q, *k, *v;
  int type; /* of storage, and the precision of the products */
  float scale;
} Attention;

typedef struct {
  long from, to;
} Range;

INLINE long at_least(long a, long b) { return a > b ? a : b; }
INLINE long panel_start(long i) { return i - i % TILE_COLS; }

static Attention attention_of(long B, long T, long S, long H, long K, long D, long window,
                              const void* q, const void* k, const void* v, int type,
                              Places places) {
  return (Attention){B, T, S, H, K, D, window, places, 0, 0, q, k, v, type,
                     1.0f / sqrtf((float)D)};
}

/** Keys that query t sees. */
INLINE Range visible_keys(const Attention* a, long t) {
  long at = a->first + t, to = at_least(0, at_most(a->S, at + 1));
  long from = a->window ? at_least(0, at - a->window + 1) : 0;
  return (Range){at_most(from, to), to};
}

/** The same for text b alone. */
INLINE Attention row_of(const Attention* a, long b) {
  Attention own = *a;
  own.text = b;
  own.first = first_of(&a->places, b, a->S - a->T);
  if (!a->places.pages) return own;
  long from = visible_keys(&own, 0).from, to = visible_keys(&own, own.T - 1).to;
  own.S = end_of_pages(&a->places, b, from, to);
  return own;
}

/** Queries that see key j. */
INLINE Range seeing_queries(const Attention* a, long j) {
  long from = at_most(a->T, at_least(0, j - a->first));
  long to = a->window ? at_most(a->T, j - a->first + a->window) : a->T;
  return (Range){from, at_least(from, to)};
}

/* Elements before row (b, t) of head h in [B, T, H, D]. */
INLINE long head_at(long b, long T, long t, long H, long h, long D) {
  return ((b * T + t) * H + h) * D;
}

/* Elements before position j of key head kh in [P, G, K, D]; j's page is not missing. */
INLINE long key_at(const Attention* a, long j, long kh) {
  return (slot_of(&a->places, a->text, j) * a->K + kh) * a->D;
}

/* Positions from j on that lie one after the other, `to` at most. */
INLINE long page_rest(const Attention* a, long j, long to) {
  return at_most(to - j, a->places.G - j % a->places.G);
}

INLINE const void* element(const void* x, long i, int type) {
  return (const char*)x + i * (long)type_bytes(type);
}

/* The next `bytes` of a buffer, in whole cache lines; a NULL buffer only counts. */
INLINE void* carve(size_t* used, void* buffer, size_t bytes) {
  char* part = buffer ? (char*)buffer + *used : NULL;
  *used += (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
  return part;
}

/* m rows of depth k as an operand A: in place where their numbers are words, else packed. */
static Rows operand_rows(const void* src, long ld, long m, long k, int type, uint32_t* room) {
  if (type == word_type(type) && k % per_word(type) == 0) return plain_rows(src, ld, type);
  Source s = {src, ld, type, 1};
  return pack_rows(&s, m, k, type, room);
}

/**
 * C[m, n] (+)= A[m, k] . B[k0..k0+k), B packed n wide and `depth` deep. k0 is a whole word; what A
 * holds beyond k up to a whole word is zero.
 */
static void gemm_from(long m, long n, long k, long depth, long k0, Rows a, const uint32_t* b,
                      int compute, float* c, long ldc, int accumulate) {
  for (long n0 = 0; n0 < n; n0 += TILE_COLS) {
    long cols = at_most(TILE_COLS, n - n0);
    const uint32_t* panel = b + n0 * steps_of(depth, compute);
    block_gemm(m, cols, k, a, panel + k0 / per_word(compute) * round_up(cols, LANES), compute,
               c + n0, ldc, accumulate);
  }
}

/* LANES numbers as words of a product, rounded to its precision. */
INLINE void store_words(void* to, long i, int compute, Vec x) {
  if (compute == BF16 && word_type(compute) == F32)
    x = (Vec)(__builtin_convertvector(vec_to_bf16(x), WordVec) << 16);
  store_lanes(to, i, word_type(compute), x);
}

/** All ones in the lanes whose number i + lane is in the range. */
INLINE IntVec lanes_within(long i, Range r) {
  IntVec lane;
  UNROLL(16)
  for (int n = 0; n < LANES; n++) lane[n] = n;
  int from = (int)at_least(0, at_most(LANES, r.from - i));
  int to = (int)at_least(0, at_most(LANES, r.to - i));
  return (IntVec)(lane >= from) & (IntVec)(lane < to);
}

INLINE int whole_lanes(long i, Range r) { return i >= r.from && i + LANES <= r.to; }

/* f32 rows [rows, D] times `scale[r]` (NULL: 1) to storage, `ld` numbers apart. */
INLINE void scale_rows(const float* x, const float* scale, long rows, long D, void* to, long at,
                       long ld, int type) {
  for (long r = 0; r < rows; r++, x += D, at += ld) {
    float by = scale ? scale[r] : 1;
    for (long d = 0; d < D; d += LANES)
      store_upto(to, at + d, D - d, type, load_upto(x, d, D - d, F32) * by);
  }
}

KERNEL void store_rows(const float* x, const float* scale, long rows, long D, void* to, long at,
                       long ld, int type) {
  if (type == BF16) scale_rows(x, scale, rows, D, to, at, ld, BF16);
  else scale_rows(x, scale, rows, D, to, at, ld, F32);
}

#endif
