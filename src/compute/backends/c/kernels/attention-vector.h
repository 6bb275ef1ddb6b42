/*
 * Attention for a few queries (decoding): keys and values are read straight from the cache, nothing
 * is packed, memory sets the pace. The keys of a text are cut into blocks of BLOCK positions; a
 * worker takes one block of one key head and every query of its group, so each key comes from
 * memory once, and one long text keeps all workers busy. A block leaves its maximum (in base 2),
 * its sum and its weighted values; when all are done they are merged (Dao et al. 2023,
 * flash-decoding).
 *
 * Blocks and vectors of keys begin at positions that are multiples of their size, whatever the
 * pages, the batch and the number of workers: these change no bit of a text.
 */
#ifndef NUTSHELL_ATTENTION_VECTOR_H
#define NUTSHELL_ATTENTION_VECTOR_H

#include <limits.h>

#include "attention-forward.h"

/* Queries that share the loads of a value: as many as there are registers for. */
enum { FEW_QUERIES = 4, SIDE = 4, BLOCK = 256, AT_ONCE = TILE_ROWS / 2 };

#if defined(NUTSHELL_ISA_AVX512BF16) || defined(NUTSHELL_ISA_AVX512F)
#define EVERY_OTHER(n) n, n + 2, n + 4, n + 6, n + 8, n + 10, n + 12, n + 14, n + 16, n + 18, \
                       n + 20, n + 22, n + 24, n + 26, n + 28, n + 30
#elif defined(NUTSHELL_ISA_AVX2)
#define EVERY_OTHER(n) n, n + 2, n + 4, n + 6, n + 8, n + 10, n + 12, n + 14
#else
#define EVERY_OTHER(n) n, n + 2, n + 4, n + 6
#endif
#if defined(__clang__) || __GNUC__ >= 12
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, (IntVec){__VA_ARGS__})
#endif

/* 2n vectors become n: neighbouring lanes are added. */
INLINE void fold(Vec* x, int n) {
  UNROLL(8)
  for (int i = 0; i < n; i++)
    x[i] = PICK(x[2 * i], x[2 * i + 1], EVERY_OTHER(0)) +
           PICK(x[2 * i], x[2 * i + 1], EVERY_OTHER(1));
}

/* Lane i of the result is the sum of all lanes of x[i]. */
INLINE Vec sum_each(Vec* x) {
  fold(x, LANES / 2);
  fold(x, LANES / 4);
  if (LANES >= 8) fold(x, LANES / 8);
  if (LANES >= 16) fold(x, LANES / 16);
  return x[0];
}

/* A query times LANES keys, `step` numbers apart; behind the last of `rows` it is taken again. */
INLINE Vec dot_keys(const void* q, long query, const void* k, long key, long step, long rows,
                    long D, int type) {
  Vec sum[LANES] = {{0}};
  long d = 0;
#define EACH_KEY(load, multiply)                                       \
  UNROLL(16)                                                           \
  for (int i = 0; i < LANES; i++) {                                    \
    long at = key + (i < rows ? i : rows - 1) * step + d;              \
    Vec y = load;                                                      \
    sum[i] = multiply;                                                 \
  }
#if defined(NUTSHELL_ISA_AVX512BF16)
  if (type == BF16)
    for (; d + 2 * LANES <= D; d += 2 * LANES) {
      __m512bh x = (__m512bh)load_vec(element(q, query + d, BF16));
      EACH_KEY(load_vec(element(k, at, BF16)), _mm512_dpbf16_ps(sum[i], (__m512bh)y, x))
    }
#endif
  for (; d + LANES <= D; d += LANES) {
    Vec x = load_lanes(q, query + d, type);
    EACH_KEY(load_lanes(k, at, type), sum[i] + x * y)
  }
  if (d < D) {
    Vec x = load_upto(q, query + d, D - d, type);
    EACH_KEY(load_upto(k, at, D - d, type), sum[i] + x * y)
  }
#undef EACH_KEY
  return sum_each(sum);
}

/* A block of one key head: positions `keys` of those from `start`; queries t and heads of a group. */
typedef struct {
  Range keys;
  long start, kh, group, queries;
} KeyBlock;

INLINE long query_at(const Attention* a, const KeyBlock* k, long i) {
  return head_at(a->text, a->T, i / k->group, a->H, k->kh * k->group + i % k->group, a->D);
}

/*
 * Asks for LANES keys and values from j on. They lie K heads apart, which the processor's own
 * prefetcher follows badly; values wait in L2 until the scores are done.
 */
INLINE void bring_keys(const Attention* a, const KeyBlock* b, long j, int type) {
  if (j >= b->keys.to) return;
  long at = key_at(a, j, b->kh), step = a->K * a->D, bytes = a->D * (long)type_bytes(type);
  for (long i = 0; i < LANES; i++, at += step)
    for (long n = 0; n < bytes; n += CACHE_LINE) {
      __builtin_prefetch((const char*)element(a->k, at, type) + n);
      __builtin_prefetch((const char*)element(a->v, at, type) + n, 0, 2);
    }
}

/* scores [queries, BLOCK], unscaled. */
INLINE void score_block(const Attention* a, const KeyBlock* b, float* scores, int type) {
  long step = a->K * a->D, from = b->keys.from - b->keys.from % LANES;
  bring_keys(a, b, from, type);
  for (long j = from; j < b->keys.to; j += LANES) {
    long key = key_at(a, j, b->kh), rows = b->keys.to - j;
    bring_keys(a, b, j + LANES, type);
    for (long i = 0; i < b->queries; i++) {
      long query = query_at(a, b, i);
      Vec dots = rows >= LANES ? dot_keys(a->q, query, a->k, key, step, LANES, a->D, type)
                               : dot_keys(a->q, query, a->k, key, step, rows, a->D, type);
      store_vec(scores + i * BLOCK + j - b->start, dots);
    }
  }
}

/* out [queries, D] from column d on, `width` of them: sums of p [queries, BLOCK] times values. */
INLINE void sum_values(const Attention* a, const KeyBlock* b, const float* p, int queries, long d,
                       long width, float* out, int type) {
  Vec sum[AT_ONCE][SIDE] = {{{0}}};
  long step = a->K * a->D;
  for (long j = b->keys.from, rest; j < b->keys.to; j += rest) {
    long at = key_at(a, j, b->kh) + d;
    rest = page_rest(a, j, b->keys.to);
    for (long n = j - b->start; n < j - b->start + rest; n++, at += step)
      UNROLL(4)
      for (int s = 0; s < SIDE; s++) {
        if (s * LANES >= width) continue;
        Vec v = load_upto(a->v, at + s * LANES, width - s * LANES, type);
        UNROLL(4)
        for (int i = 0; i < queries; i++) sum[i][s] += v * p[i * BLOCK + n];
      }
  }
  for (int i = 0; i < queries; i++)
    for (int s = 0; s < SIDE; s++)
      if (s * LANES < width)
        store_upto(out, i * a->D + d + s * LANES, width - s * LANES, F32, sum[i][s]);
}

INLINE void sum_columns(const Attention* a, const KeyBlock* b, const float* p, int queries,
                        float* out, int type) {
  long d = 0;
  for (; d + SIDE * LANES <= a->D; d += SIDE * LANES)
    sum_values(a, b, p, queries, d, SIDE * LANES, out, type);
  if (d < a->D) sum_values(a, b, p, queries, d, a->D - d, out, type);
}

/* What a block leaves of each query. */
typedef struct {
  float *sums, *top, *total; /* [queries, D], [queries], [queries] */
} BlockPart;

INLINE void attend_block(const Attention* a, const KeyBlock* b, float* scores, BlockPart out,
                         int type) {
  score_block(a, b, scores, type);
  for (long i = 0; i < b->queries; i++) {
    float* row = scores + i * BLOCK;
    Range r = keys_in_run(a, i / b->group, b->start, b->keys.to - b->start);
    out.top[i] = range_top(row, r) * a->scale * LOG2_E;
    out.total[i] = weigh_row(row, r, b->keys.to - b->start, a->scale * LOG2_E,
                             r.from < r.to ? out.top[i] : 0, F32, row);
  }
  long i = 0;
  for (; i + AT_ONCE <= b->queries; i += AT_ONCE)
    sum_columns(a, b, scores + i * BLOCK, AT_ONCE, out.sums + i * a->D, type);
  for (; i < b->queries; i++) sum_columns(a, b, scores + i * BLOCK, 1, out.sums + i * a->D, type);
}

KERNEL void attend_block_f32(const Attention* a, const KeyBlock* b, float* scores, BlockPart out) {
  attend_block(a, b, scores, out, F32);
}
KERNEL void attend_block_bf16(const Attention* a, const KeyBlock* b, float* scores,
                              BlockPart out) {
  attend_block(a, b, scores, out, BF16);
}

typedef struct {
  float* scores;             /* of each worker */
  long blocks;               /* of the longest text */
  float *sums, *top, *total; /* of parts [B, K, blocks] */
  size_t bytes;
} FewRoom;

static FewRoom few_room(const Attention* a, int nThreads, void* at) {
  FewRoom r = {.blocks = (a->S + BLOCK - 1) / BLOCK};
  size_t queries = (size_t)(a->T * a->H / a->K), parts = (size_t)(a->B * a->K * r.blocks);
  r.scores = carve(&r.bytes, at, (size_t)nThreads * queries * BLOCK * sizeof(float));
  r.sums = carve(&r.bytes, at, parts * queries * (size_t)a->D * sizeof(float));
  r.top = carve(&r.bytes, at, parts * queries * sizeof(float));
  r.total = carve(&r.bytes, at, parts * queries * sizeof(float));
  return r;
}

INLINE BlockPart part_of(const Attention* a, const FewRoom* room, long kh, long block) {
  long queries = a->T * a->H / a->K;
  long at = ((a->text * a->K + kh) * room->blocks + block) * queries;
  return (BlockPart){room->sums + at * a->D, room->top + at, room->total + at};
}

/* Blocks of a text: the first and the one behind the last. */
INLINE Range blocks_of(const Attention* a) {
  long from = visible_keys(a, 0).from, to = visible_keys(a, a->T - 1).to;
  return from < to ? (Range){from / BLOCK, (to + BLOCK - 1) / BLOCK} : (Range){0, 0};
}

static void block_task(const Attention* a, const FewRoom* room, float* scores, long block,
                       long kh) {
  long start = block * BLOCK, group = a->H / a->K;
  Range keys = {at_least(start, visible_keys(a, 0).from),
                at_most(start + BLOCK, visible_keys(a, a->T - 1).to)};
  KeyBlock b = {keys, start, kh, group, group * a->T};
  BlockPart out = part_of(a, room, kh, block);
  (a->type == BF16 ? attend_block_bf16 : attend_block_f32)(a, &b, scores, out);
}

/* Query i of a key head: its blocks' sums, each scaled to the common maximum. */
KERNEL void merge_query(const Attention* a, const FewRoom* room, Range blocks, long kh, long i,
                        void* o, float* lse) {
  long group = a->H / a->K, h = kh * group + i % group, t = i / group;
  long to = head_at(a->text, a->T, t, a->H, h, a->D);
  float top = -INFINITY, total = 0;
  for (long n = blocks.from; n < blocks.to; n++) {
    float x = part_of(a, room, kh, n).top[i];
    top = x > top ? x : top;
  }
  for (long n = blocks.from; n < blocks.to && top > -INFINITY; n++)
    total += part_of(a, room, kh, n).total[i] * exp2f(part_of(a, room, kh, n).top[i] - top);
  for (long d = 0; d < a->D; d += LANES) {
    Vec sum = {0};
    for (long n = blocks.from; n < blocks.to && total > 0; n++) {
      BlockPart part = part_of(a, room, kh, n);
      sum += load_upto(part.sums, i * a->D + d, a->D - d, F32) * (exp2f(part.top[i] - top) / total);
    }
    store_upto(o, to + d, a->D - d, a->type, sum);
  }
  lse[(a->text * a->H + h) * a->T + t] = total > 0 ? top / LOG2_E + logf(total) : 0;
}

/*
 * Tasks are counted through the texts as workers come to them: a text has as many as it has blocks
 * now, which may be far fewer than its pages could hold.
 */
static void attend_few(Worker* w, const Attention* a, void* o, float* lse, void* scratch) {
  FewRoom room = few_room(a, w->nThreads, scratch);
  float* scores = room.scores + w->tid * (a->T * a->H / a->K) * BLOCK;
  long begin = 0, end = 0, b = -1, i;
  Attention own = *a;
  Range blocks = {0, 0};
  while ((i = take(w, LONG_MAX)) >= 0) {
    while (i >= end && ++b < a->B) {
      own = row_of(a, b);
      blocks = blocks_of(&own);
      begin = end;
      end += (blocks.to - blocks.from) * a->K;
    }
    if (b >= a->B) break;
    block_task(&own, &room, scores, blocks.from + (i - begin) / a->K, (i - begin) % a->K);
  }
  barrier(w);
  for (; (i = take(w, a->B * a->K)) >= 0;) {
    own = row_of(a, i / a->K);
    blocks = blocks_of(&own);
    for (long n = 0; n < a->T * a->H / a->K; n++)
      merge_query(&own, &room, blocks, i % a->K, n, o, lse);
  }
  barrier(w);
}

#endif
