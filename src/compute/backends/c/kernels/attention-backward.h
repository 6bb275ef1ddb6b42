/*
 * Attention backward: the weights P = e^(scale q.k - lse) are made again, then
 *
 *     dV += P^T dO    dS = P (dO V^T - delta) scale    dQ += dS K    dK += dS^T Q
 *
 * with delta = dO . O per query. A worker takes one key head and every query head of its group, so
 * dK and dV have one writer and one order. Tiles of keys are rows: P^T and dS^T come out as rows of
 * words, which dV and dK read in place; only dQ needs dS the other way round and packs it.
 */
#ifndef NUTSHELL_ATTENTION_BACKWARD_H
#define NUTSHELL_ATTENTION_BACKWARD_H

#include "attention-block.h"

/* q and dy are packed twice: by queries (depth D) and by depth (queries deep). */
typedef struct {
  uint32_t *keys, *qColumns, *dyColumns, *qDeep, *dyDeep, *keyRows, *valueRows, *turned;
  float *dq, *dk, *dv, *delta, *scores, *slopes;
  void *weights, *moves;
  size_t bytes;
} BackwardRoom;

static BackwardRoom backward_room(const Attention* a, void* at) {
  BackwardRoom r = {0};
  size_t byQuery = columns_words(a->T, a->D, a->type) * 4;
  size_t deep = columns_words(a->D, a->T, a->type) * 4;
  size_t tileRows = rows_words(TILE, a->D, a->type) * 4, run = TILE * RUN * sizeof(float);
  r.keys = carve(&r.bytes, at, columns_words(a->D, a->S, a->type) * 4);
  r.qColumns = carve(&r.bytes, at, byQuery);
  r.dyColumns = carve(&r.bytes, at, byQuery);
  r.qDeep = carve(&r.bytes, at, deep);
  r.dyDeep = carve(&r.bytes, at, deep);
  r.keyRows = carve(&r.bytes, at, tileRows);
  r.valueRows = carve(&r.bytes, at, tileRows);
  r.turned = carve(&r.bytes, at, rows_words(RUN, TILE, a->type) * 4);
  r.dq = carve(&r.bytes, at, (size_t)(a->T * a->D) * sizeof(float));
  r.dk = carve(&r.bytes, at, (size_t)(a->S * a->D) * sizeof(float));
  r.dv = carve(&r.bytes, at, (size_t)(a->S * a->D) * sizeof(float));
  r.delta = carve(&r.bytes, at, (size_t)a->T * sizeof(float));
  r.scores = carve(&r.bytes, at, run);
  r.slopes = carve(&r.bytes, at, run);
  r.weights = carve(&r.bytes, at, run);
  r.moves = carve(&r.bytes, at, run);
  return r;
}

typedef struct {
  const void *o, *dy;
  const float* lse;
  void *dq, *dk, *dv;
} Backward;

/* delta: each query's dO . O. */
INLINE void dot_rows_of(long rows, long D, const void* x, const void* y, long at, long ld, int type,
                        float* out) {
  for (long r = 0; r < rows; r++, at += ld) {
    Vec sum = {0};
    for (long d = 0; d < D; d += LANES)
      sum += load_upto(x, at + d, D - d, type) * load_upto(y, at + d, D - d, type);
    out[r] = vec_sum(sum);
  }
}

/* Packs one query head and its dy; delta; clears dq. */
static void begin_head(const Attention* a, const Backward* g, BackwardRoom* room, long b, long h) {
  long at = head_at(b, a->T, 0, a->H, h, a->D), ld = a->H * a->D;
  Source q = {element(a->q, at, a->type), ld, a->type, 1};
  Source dy = {element(g->dy, at, a->type), ld, a->type, 1};
  pack_columns(&q, a->T, a->D, a->type, room->qColumns);
  pack_columns(&dy, a->T, a->D, a->type, room->dyColumns);
  q.kContiguous = dy.kContiguous = 0;
  pack_columns(&q, a->D, a->T, a->type, room->qDeep);
  pack_columns(&dy, a->D, a->T, a->type, room->dyDeep);
  if (a->type == BF16) dot_rows_of(a->T, a->D, g->dy, g->o, at, ld, BF16, room->delta);
  else dot_rows_of(a->T, a->D, g->dy, g->o, at, ld, F32, room->delta);
  memset(room->dq, 0, (size_t)(a->T * a->D) * sizeof(float));
}

/* One key against n queries: P to weights, dS to moves, as words; zero outside the range. */
INLINE void slope_row(const float* scores, const float* slopes, const float* lse,
                      const float* delta, Range r, long n, float scale, int type, void* weights,
                      void* moves) {
  for (long i = 0; i < n; i += LANES) {
    Vec p = {0}, ds = {0};
    if (i + LANES > r.from && i < r.to) {
      Vec norm = load_upto(lse, i, n - i, F32), less = load_upto(delta, i, n - i, F32);
      p = vec_exp2((load_lanes(scores, i, F32) * scale - norm) * LOG2_E);
      ds = p * (load_lanes(slopes, i, F32) - less) * scale;
      if (!whole_lanes(i, r)) {
        IntVec seen = lanes_within(i, r);
        p = (Vec)((IntVec)p & seen);
        ds = (Vec)((IntVec)ds & seen);
      }
    }
    store_words(weights, i, type, p);
    store_words(moves, i, type, ds);
  }
}

typedef struct {
  long j0, keys; /* the tile */
  Rows keyRows, valueRows;
  const float* lse; /* of this head, by query */
} KeyTile;

/* A tile of keys against n queries from t0. */
INLINE void backward_run(const Attention* a, BackwardRoom* room, const KeyTile* tile, long t0,
                         long n, int type) {
  long D = a->D, panel = t0 * steps_of(D, type), wordBytes = (long)type_bytes(word_type(type));
  for (long t = 0; t < n; t += TILE_COLS) {
    long width = at_most(TILE_COLS, n - t), at = panel + t * steps_of(D, type);
    long seen = visible_keys(a, t0 + t + width - 1).to - tile->j0, keys = at_most(tile->keys, seen);
    const uint32_t *q = room->qColumns + at, *dy = room->dyColumns + at;
    block_gemm(keys, width, D, tile->keyRows, q, type, room->scores + t, RUN, 0);
    block_gemm(keys, width, D, tile->valueRows, dy, type, room->slopes + t, RUN, 0);
  }
  for (long i = 0; i < tile->keys; i++) {
    Range r = seeing_queries(a, tile->j0 + i);
    r = (Range){at_least(0, r.from - t0), at_most(n, r.to - t0)};
    slope_row(room->scores + i * RUN, room->slopes + i * RUN, tile->lse + t0, room->delta + t0, r,
              n, a->scale, type, (char*)room->weights + i * RUN * wordBytes,
              (char*)room->moves + i * RUN * wordBytes);
  }
  for (long i = 0; i < tile->keys; i += TILE_ROWS) {
    long first = at_least(0, seeing_queries(a, tile->j0 + i).from - t0), from = first - first % 2;
    long height = at_most(TILE_ROWS, tile->keys - i), at = (i * RUN + from) * wordBytes;
    if (from >= n) break;
    Rows weights = plain_rows((char*)room->weights + at, RUN, type);
    Rows moves = plain_rows((char*)room->moves + at, RUN, type);
    float *dv = room->dv + (tile->j0 + i) * D, *dk = room->dk + (tile->j0 + i) * D;
    gemm_from(height, D, n - from, a->T, t0 + from, weights, room->dyDeep, type, dv, D, 1);
    gemm_from(height, D, n - from, a->T, t0 + from, moves, room->qDeep, type, dk, D, 1);
  }
  Source turned = {room->moves, RUN, word_type(type), 0};
  Rows byQuery = pack_rows(&turned, n, tile->keys, type, room->turned);
  gemm_from(n, D, tile->keys, a->S, tile->j0, byQuery, room->keys, type, room->dq + t0 * D, D, 1);
}

KERNEL void backward_run_f32(const Attention* a, BackwardRoom* room, const KeyTile* tile, long t0,
                             long n) {
  backward_run(a, room, tile, t0, n, F32);
}
KERNEL void backward_run_bf16(const Attention* a, BackwardRoom* room, const KeyTile* tile, long t0,
                              long n) {
  backward_run(a, room, tile, t0, n, BF16);
}

static void backward_tile(const Attention* a, BackwardRoom* room, KeyTile* tile, long b, long kh) {
  long at = head_at(b, a->S, tile->j0, a->K, kh, a->D), ld = a->K * a->D;
  long from = panel_start(seeing_queries(a, tile->j0).from);
  long to = seeing_queries(a, tile->j0 + tile->keys - 1).to;
  tile->keyRows =
      operand_rows(element(a->k, at, a->type), ld, tile->keys, a->D, a->type, room->keyRows);
  tile->valueRows =
      operand_rows(element(a->v, at, a->type), ld, tile->keys, a->D, a->type, room->valueRows);
  for (long t0 = from; t0 < to; t0 += RUN) {
    long n = at_most(at_most(RUN, round_up(to - t0, TILE_COLS)), a->T - t0);
    (a->type == BF16 ? backward_run_bf16 : backward_run_f32)(a, room, tile, t0, n);
  }
}

static void backward_head(const Attention* all, const Backward* g, BackwardRoom* room, long b,
                          long kh) {
  const Attention alone = row_of(all, b), *a = &alone;
  long own = head_at(b, a->S, 0, a->K, kh, a->D), group = a->H / a->K;
  Source keys = {element(a->k, own, a->type), a->K * a->D, a->type, 0};
  pack_columns(&keys, a->D, a->S, a->type, room->keys);
  memset(room->dk, 0, (size_t)(a->S * a->D) * sizeof(float));
  memset(room->dv, 0, (size_t)(a->S * a->D) * sizeof(float));
  for (long h = kh * group; h < (kh + 1) * group; h++) {
    begin_head(a, g, room, b, h);
    KeyTile tile = {.lse = g->lse + (b * a->H + h) * a->T};
    for (; tile.j0 < a->S; tile.j0 += TILE) {
      tile.keys = at_most(TILE, a->S - tile.j0);
      backward_tile(a, room, &tile, b, kh);
    }
    store_rows(room->dq, NULL, a->T, a->D, g->dq, head_at(b, a->T, 0, a->H, h, a->D), a->H * a->D,
               a->type);
  }
  store_rows(room->dk, NULL, a->S, a->D, g->dk, own, a->K * a->D, a->type);
  store_rows(room->dv, NULL, a->S, a->D, g->dv, own, a->K * a->D, a->type);
}

#endif
