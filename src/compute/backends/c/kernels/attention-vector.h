/*
 * Attention for a few queries (decoding): keys and values are read once, straight from the cache
 * and in f32 arithmetic; nothing is packed, memory sets the pace. A worker takes one query of one
 * head: scores, softmax, weighted sum of values.
 */
#ifndef NUTSHELL_ATTENTION_VECTOR_H
#define NUTSHELL_ATTENTION_VECTOR_H

#include "attention-block.h"

enum { FEW_QUERIES = 4, SIDE = 4, KEYS_AHEAD = 16 };

/*
 * Brings n numbers of the row that is due in KEYS_AHEAD keys. A head's rows lie K heads apart,
 * which the processor's own prefetcher follows badly: half of a decoding step was waiting.
 */
INLINE void bring_row(const void* x, long at, long step, long n, int type) {
  const char* row = element(x, at + KEYS_AHEAD * step, type);
  for (long i = 0; i < n * (long)type_bytes(type); i += CACHE_LINE) __builtin_prefetch(row + i);
}

INLINE float dot_row(const void* x, long i, const void* y, long k, long n, int type) {
  Vec sum = {0};
  for (long d = 0; d < n; d += LANES)
    sum += load_upto(x, i + d, n - d, type) * load_upto(y, k + d, n - d, type);
  return vec_sum(sum);
}

/* o[to..to+SIDE*LANES) = scale times the sum of p[j] v[j], columns d.. of key head kh. */
INLINE void weigh_values(const Attention* a, const float* p, Range r, long kh, long d, float scale,
                         void* o, long to, int type) {
  Vec sum[SIDE] = {{0}};
  long step = a->K * a->D, n = a->D - d;
  for (long j = r.from, rest; j < r.to; j += rest) {
    long at = key_at(a, j, kh) + d;
    rest = page_rest(a, j, r.to);
    for (long i = 0; i < rest; i++, at += step, p++) {
      bring_row(a->v, at, step, at_most(n, SIDE * LANES), type);
      UNROLL(4)
      for (int s = 0; s < SIDE; s++)
        if (s * LANES < n) sum[s] += load_upto(a->v, at + s * LANES, n - s * LANES, type) * *p;
    }
  }
  for (int s = 0; s < SIDE; s++)
    if (s * LANES < n) store_upto(o, to + s * LANES, n - s * LANES, type, sum[s] * scale);
}

/* scores[0..keys) become e^(score - top); returns the sum, and the top. */
static float soften(float* scores, long keys, float* top) {
  Vec sum = {0};
  *top = scores[0];
  for (long j = 1; j < keys; j++) *top = scores[j] > *top ? scores[j] : *top;
  for (long j = 0; j < keys; j += LANES) {
    Vec p = vec_exp(load_upto(scores, j, keys - j, F32) - *top);
    store_upto(scores, j, keys - j, F32, p);
    if (keys - j < LANES) p = (Vec)((IntVec)p & lanes_within(j, (Range){0, keys}));
    sum += p;
  }
  return vec_sum(sum);
}

INLINE void attend(const Attention* all, long b, long h, long t, void* o, float* lse, float* scores,
                   int type) {
  const Attention own = row_of(all, b), *a = &own;
  Range r = visible_keys(a, t);
  long keys = r.to - r.from, step = a->K * a->D, D = a->D, kh = h / (a->H / a->K);
  long query = head_at(b, a->T, t, a->H, h, D);
  float top = 0, total = 0, *score = scores;
  for (long j = r.from, rest; j < r.to; j += rest) {
    long key = key_at(a, j, kh);
    rest = page_rest(a, j, r.to);
    for (long i = 0; i < rest; i++, key += step) {
      bring_row(a->k, key, step, D, type);
      *score++ = a->scale * dot_row(a->q, query, a->k, key, D, type);
    }
  }
  if (keys > 0) total = soften(scores, keys, &top);
  for (long d = 0; d < D; d += SIDE * LANES)
    weigh_values(a, scores, r, kh, d, keys > 0 ? 1 / total : 0, o, query + d, type);
  lse[(b * a->H + h) * a->T + t] = keys > 0 ? top + logf(total) : 0;
}

KERNEL void attend_f32(const Attention* a, long b, long h, long t, void* o, float* lse, float* x) {
  attend(a, b, h, t, o, lse, x, F32);
}
KERNEL void attend_bf16(const Attention* a, long b, long h, long t, void* o, float* lse, float* x) {
  attend(a, b, h, t, o, lse, x, BF16);
}

static void attend_few(Worker* w, const Attention* a, void* o, float* lse, void* scratch) {
  float* scores = (float*)scratch + w->tid * round_up(a->S, CACHE_LINE);
  for (long i; (i = take(w, a->B * a->H * a->T)) >= 0;) {
    long t = i % a->T, h = i / a->T % a->H, b = i / a->T / a->H;
    (a->type == BF16 ? attend_bf16 : attend_f32)(a, b, h, t, o, lse, scores);
  }
  barrier(w);
}

#endif
