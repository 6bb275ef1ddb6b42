/*
 * One token a row: softmax over the first `limit` logits, the token that a uniform number picks,
 * its log-probability and the entropy. A worker takes a row; its sums are made in runs of
 * SAMPLE_RUN numbers, f32 lanes within a run, double over the runs, always in order: what comes out
 * of a row depends on the row alone.
 */
#ifndef NUTSHELL_SAMPLE_H
#define NUTSHELL_SAMPLE_H

#include "gemm-block.h"
#include "thread-pool.h"
#include "vector-math.h"

enum { SAMPLE_RUN = 256 };

/* Below it a temperature is 0: the likeliest token. */
#define COLDEST 1e-6f

typedef struct {
  const float* x;
  long n; /* logits to choose from */
  float top;
} LogitRow;

/* Logits i..i+LANES; -inf beyond the last and for NaN, which are never chosen. */
INLINE Vec logits_at(const LogitRow* row, long i) {
  Vec x = load_upto(row->x, i, row->n - i, F32);
  for (long k = at_most(LANES, row->n - i); k < LANES; k++) x[k] = -INFINITY;
  return vec_select((IntVec)(x == x), x, vec_of(-INFINITY));
}

INLINE float largest_logit(const LogitRow* row) {
  Vec top = vec_of(-INFINITY);
  for (long i = 0; i < row->n; i += LANES) top = vec_max(logits_at(row, i), top);
  return vec_top(top);
}

INLINE long first_at_top(const LogitRow* row) {
  long i = 0;
  while (row->x[i] != row->top) i++;
  return i;
}

/* The row's sums at temperature 1: of p and of p ln p, p = e^(x - top). */
INLINE void measure(const LogitRow* row, double* total, double* weighted) {
  *total = *weighted = 0;
  for (long from = 0; from < row->n; from += SAMPLE_RUN) {
    Vec sum = {0}, product = {0};
    for (long i = from; i < at_most(row->n, from + SAMPLE_RUN); i += LANES) {
      Vec low = vec_max(logits_at(row, i) - row->top, vec_of(-200.0f)), p = vec_exp(low);
      sum += p;
      product += p * low;
    }
    *total += vec_sum(sum);
    *weighted += vec_sum(product);
  }
}

/* Weights e^((x - top) / temperature) of one run; returns their sum. */
INLINE float weigh_run(const LogitRow* row, long from, float sharpness, float* weights) {
  Vec sum = {0};
  for (long i = from; i < at_most(row->n, from + SAMPLE_RUN); i += LANES) {
    Vec low = vec_max((logits_at(row, i) - row->top) * sharpness, vec_of(-200.0f));
    Vec p = vec_exp(low);
    store_lanes(weights, i - from, F32, p);
    sum += p;
  }
  return vec_sum(sum);
}

/* The token in whose share `goal` of a run's sum falls; rounding leaves the rest to the last. */
INLINE long pick_in_run(const float* weights, long n, double goal) {
  long last = 0;
  for (long i = 0; i < n; i++) {
    if (weights[i] == 0) continue;
    last = i;
    goal -= weights[i];
    if (goal < 0) break;
  }
  return last;
}

INLINE long draw_token(const LogitRow* row, float temperature, float uniform, double* sums) {
  float weights[SAMPLE_RUN], sharpness = 1 / temperature;
  long runs = (row->n + SAMPLE_RUN - 1) / SAMPLE_RUN, chosen = 0;
  double total = 0, goal;
  for (long k = 0; k < runs; k++)
    total += sums[k] = weigh_run(row, k * SAMPLE_RUN, sharpness, weights);
  goal = total * uniform;
  for (long k = 0; k < runs; k++) {
    if (sums[k] == 0) continue;
    chosen = k;
    if (goal < sums[k]) break;
    goal -= sums[k];
  }
  weigh_run(row, chosen * SAMPLE_RUN, sharpness, weights);
  long n = at_most(SAMPLE_RUN, row->n - chosen * SAMPLE_RUN);
  return chosen * SAMPLE_RUN + pick_in_run(weights, n, goal);
}

typedef struct {
  int32_t* id;
  float *logprob, *entropy;
} Sampled;

KERNEL void sample_row(LogitRow row, long b, float temperature, float uniform, double* sums,
                       Sampled to) {
  double total, weighted;
  row.top = largest_logit(&row);
  to.id[b] = -1;
  to.logprob[b] = to.entropy[b] = 0;
  if (!(row.top > -INFINITY && row.top < INFINITY)) return;
  measure(&row, &total, &weighted);
  long id = temperature < COLDEST ? first_at_top(&row)
                                  : draw_token(&row, temperature, uniform, sums);
  to.id[b] = (int32_t)id;
  to.logprob[b] = (float)((double)(row.x[id] - row.top) - log(total));
  to.entropy[b] = (float)(log(total) - weighted / total);
}

/* Sums of a row's runs, for each worker. */
size_t sample_rows_scratch(long V, int nThreads) {
  return (size_t)(nThreads * round_up(V / SAMPLE_RUN + 1, CACHE_LINE)) * sizeof(double);
}

/** Logits [B, V] where a bit of allowed [B, ceil(V / 32)] is set, -inf elsewhere. */
void allow_ids(Worker* w, long B, long V, const float* logits, const int32_t* allowed, float* out) {
  long words = (V + 31) / 32;
  for (long b; (b = take(w, B)) >= 0;)
    for (long k = 0; k < words; k++) {
      uint32_t bits = (uint32_t)allowed[b * words + k];
      const float* x = logits + b * V + 32 * k;
      float* y = out + b * V + 32 * k;
      long n = at_most(32, V - 32 * k);
      for (long i = 0; i < n; i++) y[i] = bits >> i & 1 ? x[i] : -INFINITY;
    }
  barrier(w);
}

/** id, logprob and entropy [B] of logits [B, V]; id -1 where no logit is finite, or one is +inf. */
void sample_rows(Worker* w, long B, long V, const float* logits, const float* uniform,
                 const float* temperature, const int32_t* limit, int32_t* id, float* logprob,
                 float* entropy, void* scratch) {
  double* sums = (double*)scratch + w->tid * round_up(V / SAMPLE_RUN + 1, CACHE_LINE);
  Sampled to = {id, logprob, entropy};
  for (long b; (b = take(w, B)) >= 0;)
    sample_row((LogitRow){logits + b * V, at_most(*limit, V), 0}, b, temperature[b], uniform[b],
               sums, to);
  barrier(w);
}

#endif
