/*
 * Rows moved by index: picked from a table by id, added back where they came from (the gradient),
 * written into a cache at a position. The gradient splits the vocabulary: a worker owns a range of
 * rows and adds what belongs there in the order of the ids, so no two ever write one row and the
 * sum's order is fixed. An id outside the table gives zeros and receives nothing.
 */
#ifndef NUTSHELL_EMBEDDING_H
#define NUTSHELL_EMBEDDING_H

#include "places.h"
#include "quants.h"
#include "thread-pool.h"

enum { COPY_ROWS = 64, RANGES_PER_THREAD = 16 };

/** out [N, C] = rows `ids` of table [V, C]. */
void embedding(Worker* w, long N, long V, long C, const float* table, const int32_t* ids,
               float* out) {
  size_t bytes = (size_t)C * sizeof(float);
  for (long i; (i = take(w, (N + COPY_ROWS - 1) / COPY_ROWS)) >= 0;) {
    long end = (i + 1) * COPY_ROWS < N ? (i + 1) * COPY_ROWS : N;
    for (long n = i * COPY_ROWS; n < end; n++)
      if (ids[n] >= 0 && ids[n] < V) memcpy(out + n * C, table + ids[n] * C, bytes);
      else memset(out + n * C, 0, bytes);
  }
  barrier(w);
}

/** out [N, C] = rows `ids` of a quantised matrix [R, C]; all of them, N = R, when ids is NULL. */
void dequantize(Worker* w, long N, long R, long C, int type, const void* words,
                const void* scales, const int32_t* ids, float* out) {
  const Quants q = {words, scales, C, type};
  for (long n; (n = take(w, N)) >= 0;) {
    long row = ids ? ids[n] : n;
    if (row < 0 || row >= R) memset(out + n * C, 0, (size_t)C * sizeof(float));
    else if (type == Q8_0) unpack_row(&q, row, Q8_0, out + n * C);
    else unpack_row(&q, row, Q4_0, out + n * C);
  }
  barrier(w);
}

INLINE void add_row(long C, const void* x, long at, int type, float* out) {
  for (long c = 0; c < C; c += LANES) {
    Vec sum = load_upto(out, c, C - c, F32) + load_upto(x, at + c, C - c, type);
    store_upto(out, c, C - c, F32, sum);
  }
}

/* The gradient's rows from..to. */
INLINE void add_range(long N, long from, long to, long C, const int32_t* ids, const void* dy,
                      int type, float* out) {
  memset(out + from * C, 0, (size_t)((to - from) * C) * sizeof(float));
  for (long n = 0; n < N; n++)
    if (ids[n] >= from && ids[n] < to) add_row(C, dy, n * C, type, out + ids[n] * C);
}

/** out [V, C] = sums of the rows of dy [N, C] that share an id. */
void embedding_grad(Worker* w, long N, long V, long C, const int32_t* ids, const void* dy,
                    int dyType, float* out) {
  long range = (V + w->nThreads * RANGES_PER_THREAD - 1) / (w->nThreads * RANGES_PER_THREAD);
  for (long i; (i = take(w, (V + range - 1) / range)) >= 0;) {
    long to = (i + 1) * range < V ? (i + 1) * range : V;
    if (dyType == BF16) add_range(N, i * range, to, C, ids, dy, BF16, out);
    else add_range(N, i * range, to, C, ids, dy, F32, out);
  }
  barrier(w);
}

/** Row t of text b goes to the slot of position first + t, if it has one; rows of rowBytes. */
void write_rows(Worker* w, long B, long T, long rowBytes, void* cache, const void* x,
                Places places) {
  long capacity = places.M * places.G;
  for (long i; (i = take(w, (B * T + COPY_ROWS - 1) / COPY_ROWS)) >= 0;) {
    long end = (i + 1) * COPY_ROWS < B * T ? (i + 1) * COPY_ROWS : B * T;
    for (long r = i * COPY_ROWS; r < end; r++) {
      long b = r / T, j = first_of(&places, b, 0) + r % T;
      long slot = j < 0 || j >= capacity ? -1 : slot_of(&places, b, j);
      if (slot < 0) continue;
      memcpy((char*)cache + slot * rowBytes, (const char*)x + r * rowBytes, (size_t)rowBytes);
    }
  }
  barrier(w);
}

#endif
