/*
 * Rotary position embedding, half-split: dimension d turns with d + D/2 by position base^(-2d/D).
 * Cosines and sines are made in double, once per call, for all batches and heads. A run of rows
 * starts from library functions and then turns by one position per row, which loses nothing that
 * f32 could show.
 */
#ifndef NUTSHELL_ROPE_H
#define NUTSHELL_ROPE_H

#include "thread-pool.h"
#include "vector-math.h"

enum { ROPE_RUN = 32, ROPE_ROWS = 32 };

/* Rows from..to of the table [T][cos D/2, sin D/2]. */
static void turn_rows(long from, long to, long D, float base, int inverse, long first,
                      float* table) {
  long half = D / 2;
  for (long d = 0; d < half; d++) {
    double angle = pow((double)base, -(double)d / (double)half);
    double start = (double)(first + from) * angle;
    double c = cos(start), s = sin(start), stepCos = cos(angle), stepSin = sin(angle);
    for (long t = from; t < to; t++) {
      table[t * D + d] = (float)c;
      table[t * D + half + d] = (float)(inverse ? -s : s);
      double next = c * stepCos - s * stepSin;
      s = s * stepCos + c * stepSin;
      c = next;
    }
  }
}

/* All heads of one row (b, t). */
INLINE void rotate_row(long H, long D, const void* x, void* y, int type, long at,
                       const float* turn) {
  long half = D / 2;
  for (long h = 0; h < H; h++, at += D)
    for (long d = 0; d < half; d += LANES) {
      long n = half - d;
      Vec c = load_upto(turn, d, n, F32), s = load_upto(turn, half + d, n, F32);
      Vec u = load_upto(x, at + d, n, type), v = load_upto(x, at + half + d, n, type);
      store_upto(y, at + d, n, type, u * c - v * s);
      store_upto(y, at + half + d, n, type, v * c + u * s);
    }
}

#define DEFINE_ROTATE(name, type)                                                               \
  KERNEL void name(long from, long to, long T, long H, long D, const void* x, void* y,          \
                   const float* table) {                                                        \
    for (long r = from; r < to; r++) rotate_row(H, D, x, y, type, r * H * D, table + r % T * D); \
  }
DEFINE_ROTATE(rotate_f32, F32)
DEFINE_ROTATE(rotate_bf16, BF16)

size_t rope_scratch(long T, long D) { return (size_t)(T * D) * sizeof(float); }

/** y [B, T, H, D] = x turned; `first`: position of t = 0, NULL for 0; inverse turns back. */
void rope(Worker* w, long B, long T, long H, long D, float base, int inverse, const void* x,
          int type, const int32_t* first, void* y, void* scratch) {
  for (long i; (i = take(w, (T + ROPE_RUN - 1) / ROPE_RUN)) >= 0;) {
    long to = (i + 1) * ROPE_RUN < T ? (i + 1) * ROPE_RUN : T;
    turn_rows(i * ROPE_RUN, to, D, base, inverse, first ? *first : 0, scratch);
  }
  barrier(w);
  for (long i; (i = take(w, (B * T + ROPE_ROWS - 1) / ROPE_ROWS)) >= 0;) {
    long to = (i + 1) * ROPE_ROWS < B * T ? (i + 1) * ROPE_ROWS : B * T;
    (type == BF16 ? rotate_bf16 : rotate_f32)(i * ROPE_ROWS, to, T, H, D, x, y, scratch);
  }
  barrier(w);
}

#endif
