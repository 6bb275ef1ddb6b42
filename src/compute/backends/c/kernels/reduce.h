/*
 * The sum of squares over many tensors: the global gradient norm. Each tensor is cut into chunks
 * of fixed size; a chunk's sum goes to its own place and the places are added in order, in double:
 * the same bits for any number of threads.
 */
#ifndef NUTSHELL_REDUCE_H
#define NUTSHELL_REDUCE_H

#include "thread-pool.h"
#include "vector-math.h"

enum { SUM_NUMBERS = 32768, SUM_RUN = 2048, SUM_VECTORS = 4 };

INLINE long sum_chunks(long size) { return (size + SUM_NUMBERS - 1) / SUM_NUMBERS; }

static long total_chunks(int count, const long* sizes) {
  long total = 0;
  for (int i = 0; i < count; i++) total += sum_chunks(sizes[i]);
  return total;
}

size_t sum_squares_scratch(int count, const long* sizes) {
  return (size_t)total_chunks(count, sizes) * sizeof(double);
}

/* f32 lanes add up one run, double the runs. */
KERNEL double squares_of(const float* x, long n) {
  double total = 0;
  for (long from = 0; from < n; from += SUM_RUN) {
    long end = from + SUM_RUN < n ? from + SUM_RUN : n;
    Vec sum[SUM_VECTORS] = {{0}};
    for (long i = from; i < end; i += SUM_VECTORS * LANES)
      UNROLL(4)
      for (int k = 0; k < SUM_VECTORS; k++) {
        Vec v = load_upto(x, i + k * LANES, end - i - k * LANES, F32);
        sum[k] += v * v;
      }
    total += vec_sum(sum[0] + sum[1] + sum[2] + sum[3]);
  }
  return total;
}

/** *out = the sum of squares of all `sizes[i]` numbers at xs[i]. */
void sum_squares(Worker* w, int count, const float* const* xs, const long* sizes, float* out,
                 void* scratch) {
  long chunks = total_chunks(count, sizes);
  double* partial = scratch;
  for (long i; (i = take(w, chunks)) >= 0;) {
    long chunk = i;
    int tensor = 0;
    for (; chunk >= sum_chunks(sizes[tensor]); tensor++) chunk -= sum_chunks(sizes[tensor]);
    long from = chunk * SUM_NUMBERS, left = sizes[tensor] - from;
    partial[i] = squares_of(xs[tensor] + from, left < SUM_NUMBERS ? left : SUM_NUMBERS);
  }
  barrier(w);
  if (w->tid == 0) {
    double total = 0;
    for (long i = 0; i < chunks; i++) total += partial[i];
    *out = (float)total;
  }
  barrier(w);
}

#endif
