/*
 * Attention forward for many queries (Dao 2023): a worker takes a key head and a part of the
 * queries, packs the keys and values these see, and for every query head of the group goes through
 * tiles of TILE queries. A tile meets keys in runs: scores, running maximum and sum (in base 2),
 * weights as words, weights times values onto sums that were scaled to the new maximum. With one
 * run (S <= RUN) this is a plain softmax. The weights of a register tile's rows multiply only the
 * values that these rows see.
 */
#ifndef NUTSHELL_ATTENTION_FORWARD_H
#define NUTSHELL_ATTENTION_FORWARD_H

#include "attention-block.h"

typedef struct {
  uint32_t *keys, *values, *rows;
  float *scores, *sums;
  void* weights;
  size_t bytes;
} ForwardRoom;

static ForwardRoom forward_room(const Attention* a, void* at) {
  ForwardRoom r = {0};
  r.keys = carve(&r.bytes, at, columns_words(a->S, a->D, a->type) * 4);
  r.values = carve(&r.bytes, at, columns_words(a->D, a->S, a->type) * 4);
  r.rows = carve(&r.bytes, at, rows_words(TILE, a->D, a->type) * 4);
  r.scores = carve(&r.bytes, at, TILE * RUN * sizeof(float));
  r.weights = carve(&r.bytes, at, TILE * RUN * sizeof(float));
  r.sums = carve(&r.bytes, at, (size_t)(TILE * a->D) * sizeof(float));
  return r;
}

/* Largest of x[r.from..r.to), -inf when there is none. */
INLINE float range_top(const float* x, Range r) {
  Vec none = vec_of(-INFINITY), top = none;
  for (long i = r.from - r.from % LANES; i < r.to; i += LANES) {
    Vec v = load_lanes(x, i, F32);
    top = vec_max(whole_lanes(i, r) ? v : vec_select(lanes_within(i, r), v, none), top);
  }
  return vec_top(top);
}

/* words[0..n) = 2^(scale x - top) within the range, 0 outside; returns their sum. */
INLINE float weigh_row(const float* x, Range r, long n, float scale, float top, int type,
                       void* words) {
  Vec sum = {0};
  for (long i = 0; i < n; i += LANES) {
    Vec p = {0};
    if (i + LANES > r.from && i < r.to) {
      p = vec_exp2(load_lanes(x, i, F32) * scale - top);
      if (!whole_lanes(i, r)) p = (Vec)((IntVec)p & lanes_within(i, r));
      sum += p;
    }
    store_words(words, i, type, p);
  }
  return vec_sum(sum);
}

/* One row of a tile against one run of keys: its weights; returns what earlier sums shrink by. */
INLINE float soften_row(const float* x, Range r, long n, float scale, int type, void* words,
                        float* top, float* total) {
  float higher = range_top(x, r) * scale, shrink = 1;
  if (higher > *top) {
    shrink = exp2f(*top - higher);
    *top = higher;
  }
  *total = *total * shrink + weigh_row(x, r, n, scale, r.from < r.to ? *top : 0, type, words);
  return shrink;
}

INLINE void shrink_row(float* x, long n, float factor) {
  for (long i = 0; i < n; i++) x[i] *= factor;
}

typedef struct {
  long t0, rows; /* queries */
  long base, end; /* packed keys */
  float top[TILE], total[TILE];
} QueryTile;

INLINE Range keys_in_run(const Attention* a, long t, long j0, long n) {
  Range r = visible_keys(a, t);
  long from = at_most(n, at_least(0, r.from - j0)), to = at_most(n, at_least(0, r.to - j0));
  return (Range){from, at_least(from, to)};
}

INLINE void forward_run(const Attention* a, ForwardRoom* room, QueryTile* tile, Rows q, long j0,
                        long n, int earlier, int type) {
  long depth = tile->end - tile->base, packed = j0 - tile->base;
  long wordBytes = (long)type_bytes(word_type(type));
  block_gemm(tile->rows, n, a->D, q, room->keys + packed * steps_of(a->D, type), type,
             room->scores, RUN, 0);
  for (long i = 0; i < tile->rows; i += TILE_ROWS) {
    long height = at_most(TILE_ROWS, tile->rows - i);
    long seen = round_up(keys_in_run(a, tile->t0 + i + height - 1, j0, n).to, per_word(type));
    char* words = (char*)room->weights + i * RUN * wordBytes;
    float* sums = room->sums + i * a->D;
    for (long r = 0; r < height; r++) {
      long row = i + r;
      Range keys = keys_in_run(a, tile->t0 + row, j0, n);
      float shrink = soften_row(room->scores + row * RUN, keys, seen, a->scale * LOG2_E, type,
                                words + r * RUN * wordBytes, tile->top + row, tile->total + row);
      if (earlier && shrink != 1) shrink_row(sums + r * a->D, a->D, shrink);
    }
    gemm_from(height, a->D, seen, depth, packed, plain_rows(words, RUN, type), room->values, type,
              sums, a->D, earlier);
  }
}

KERNEL void forward_run_f32(const Attention* a, ForwardRoom* room, QueryTile* tile, Rows q,
                            long j0, long n, int earlier) {
  forward_run(a, room, tile, q, j0, n, earlier, F32);
}
KERNEL void forward_run_bf16(const Attention* a, ForwardRoom* room, QueryTile* tile, Rows q,
                             long j0, long n, int earlier) {
  forward_run(a, room, tile, q, j0, n, earlier, BF16);
}

/* Sums to outputs; a query that saw nothing gives zeros. */
static void finish_tile(const Attention* a, const ForwardRoom* room, const QueryTile* tile, long b,
                        long h, void* o, float* lse) {
  float scale[TILE];
  for (long r = 0; r < tile->rows; r++) {
    float total = tile->total[r];
    scale[r] = total > 0 ? 1 / total : total;
    lse[(b * a->H + h) * a->T + tile->t0 + r] =
        total > 0 ? tile->top[r] / LOG2_E + logf(total) : total;
  }
  store_rows(room->sums, scale, tile->rows, a->D, o, head_at(b, a->T, tile->t0, a->H, h, a->D),
             a->H * a->D, a->type);
}

static void forward_tile(const Attention* a, ForwardRoom* room, QueryTile* tile, long b, long h,
                         void* o, float* lse) {
  const void* q = element(a->q, head_at(b, a->T, tile->t0, a->H, h, a->D), a->type);
  Rows rows = operand_rows(q, a->H * a->D, tile->rows, a->D, a->type, room->rows);
  long from = panel_start(visible_keys(a, tile->t0).from);
  long to = visible_keys(a, tile->t0 + tile->rows - 1).to;
  if (from >= to) memset(room->sums, 0, (size_t)(TILE * a->D) * sizeof(float));
  for (long r = 0; r < TILE; r++) tile->top[r] = -INFINITY, tile->total[r] = 0;
  for (long j0 = from; j0 < to; j0 += RUN) {
    long n = at_most(at_most(RUN, round_up(to - j0, TILE_COLS)), tile->end - j0);
    (a->type == BF16 ? forward_run_bf16 : forward_run_f32)(a, room, tile, rows, j0, n, j0 > from);
  }
  finish_tile(a, room, tile, b, h, o, lse);
}

/*
 * Positions j.. of key head kh, n of them in one page, as a source of columns (keys) or of depth
 * (values). A missing page lies before the first key that any query sees, whose weights are zero:
 * that key, `seen`, stands in for all of it.
 */
INLINE Source page_source(const Attention* a, const void* x, long j, long seen, long kh,
                          int kContiguous) {
  int there = slot_of(&a->places, a->text, j) >= 0;
  return (Source){element(x, key_at(a, there ? j : seen, kh), a->type), there ? a->K * a->D : 0,
                  a->type, kContiguous};
}

/* Keys base..end, as pack_columns packs them. What of a panel lies in one page goes together. */
static void pack_keys(const Attention* a, long base, long end, long seen, long kh, uint32_t* out) {
  for (long j = base, n; j < end; j += n) {
    long panel = base + panel_start(j - base), cols = at_most(TILE_COLS, end - panel);
    long width = round_up(cols, LANES), before = j - panel;
    Source s = page_source(a, a->k, j, seen, kh, 1);
    n = page_rest(a, j, panel + cols);
    pack_part(&s, n, a->D, width, j + n < end ? n : width - before, 0, a->type,
              out + (panel - base) * steps_of(a->D, a->type) + before);
  }
}

/* Values base..end as the depth of D columns. Pages end at whole words. */
static void pack_values(const Attention* a, long base, long end, long seen, long kh,
                        uint32_t* out) {
  long steps = steps_of(end - base, a->type);
  for (long d = 0; d < a->D; d += TILE_COLS)
    for (long j = base, n; j < end; j += n) {
      long cols = at_most(TILE_COLS, a->D - d), width = round_up(cols, LANES);
      Source all = page_source(a, a->v, j, seen, kh, 0), s = all;
      s.src = source_at(&all, d, 0);
      n = page_rest(a, j, end);
      pack_panels(&s, cols, n, width, 0, a->type,
                  out + d * steps + (j - base) / per_word(a->type) * width);
    }
}

static void forward_part(const Attention* all, ForwardRoom* room, long b, long kh, long t0, long t1,
                         void* o, float* lse) {
  const Attention own = row_of(all, b), *a = &own;
  long seen = visible_keys(a, t0).from;
  QueryTile tile = {.base = panel_start(seen), .end = visible_keys(a, t1 - 1).to};
  if (seen < tile.end) {
    pack_keys(a, tile.base, tile.end, seen, kh, room->keys);
    pack_values(a, tile.base, tile.end, seen, kh, room->values);
  }
  long group = a->H / a->K;
  for (long h = kh * group; h < (kh + 1) * group; h++)
    for (tile.t0 = t0; tile.t0 < t1; tile.t0 += TILE) {
      tile.rows = at_most(TILE, t1 - tile.t0);
      forward_tile(a, room, &tile, b, h, o, lse);
    }
}

/* Queries in a part: enough parts for all workers, in whole tiles. */
INLINE long part_rows(const Attention* a, int nThreads) {
  long parts = (4 * nThreads + a->B * a->K - 1) / (a->B * a->K);
  return round_up((a->T + parts - 1) / parts, TILE);
}

static void forward_tiled(Worker* w, const Attention* a, void* o, float* lse, void* scratch) {
  size_t bytes = forward_room(a, NULL).bytes;
  ForwardRoom room = forward_room(a, (char*)scratch + (size_t)w->tid * bytes);
  long rows = part_rows(a, w->nThreads), parts = (a->T + rows - 1) / rows;
  for (long i; (i = take(w, a->B * a->K * parts)) >= 0;) {
    long head = i / parts, t0 = i % parts * rows;
    forward_part(a, &room, head / a->K, head % a->K, t0, at_most(t0 + rows, a->T), o, lse);
  }
  barrier(w);
}

#endif
