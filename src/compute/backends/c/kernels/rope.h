/*
 * Rotary position embedding, half-split: dimension d turns with d + D/2 by position base^(-2d/D).
 * Cosines and sines are made in double: once for all batches and heads where these share their
 * positions, else once for each batch row. A decoding step of many texts is nearly all of the
 * latter, so they come from polynomials that compilers turn into vector code.
 */
#ifndef NUTSHELL_ROPE_H
#define NUTSHELL_ROPE_H

#include "gemm-block.h"
#include "places.h"
#include "thread-pool.h"
#include "vector-math.h"

enum { ROPE_ROWS = 32 };

/* pi/2 in two parts, the first short enough that its product with 2^20 is exact. */
#define HALF_PI_HIGH 0x1.921fb544p+0
#define HALF_PI_LOW 0x1.0b4611a626331p-34
/* Adding it rounds a double to an integer. */
#define DOUBLE_ROUNDER 6755399441055744.0

/*
 * Cosine and sine of an angle below 2^20: the angle less whole quarter turns, Cephes' minimax
 * polynomials on [-pi/4, pi/4], and back into the quarter. No branch; 1e-15 off at most.
 */
INLINE void cos_sin(double angle, float* cosine, float* sine) {
  double n = (angle * (2 / 3.14159265358979323846) + DOUBLE_ROUNDER) - DOUBLE_ROUNDER;
  double r = (angle - n * HALF_PI_HIGH) - n * HALF_PI_LOW, z = r * r;
  double s = (((((1.58962301576546568060e-10 * z - 2.50507477628578072866e-8) * z +
                 2.75573136213857245213e-6) * z - 1.98412698295895385996e-4) * z +
               8.33333333332211858878e-3) * z - 1.66666666666666307295e-1) * z * r + r;
  double c = (((((-1.13585365213876817300e-11 * z + 2.08757008419747316778e-9) * z -
                 2.75573141792967388112e-7) * z + 2.48015872888517045348e-5) * z -
               1.38888888888730564116e-3) * z + 4.16666666666665929218e-2) * z * z - 0.5 * z + 1;
  int quarter = (int)n & 3;
  double across = quarter & 1 ? s : c, up = quarter & 1 ? c : s;
  *cosine = (float)((quarter + 1) & 2 ? -across : across);
  *sine = (float)(quarter & 2 ? -up : up);
}

/* One row of the table: cosines, then sines, D/2 each. */
KERNEL void turn_row(long position, long half, const double* angles, float direction,
                     float* turn) {
  for (long d = 0; d < half; d++) {
    cos_sin((double)position * angles[d], turn + d, turn + half + d);
    turn[half + d] *= direction;
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

/* Rows of x from..to; row r turns by row r % turns of the table. */
#define DEFINE_ROTATE(name, type)                                                           \
  KERNEL void name(long from, long to, long turns, long H, long D, const void* x, void* y,  \
                   const float* table) {                                                    \
    for (long r = from; r < to; r++)                                                        \
      rotate_row(H, D, x, y, type, r * H * D, table + r % turns * D);                       \
  }
DEFINE_ROTATE(rotate_f32, F32)
DEFINE_ROTATE(rotate_bf16, BF16)

/* The table, one row a position (`turns` of them), and every worker's angles. */
size_t rope_scratch(long turns, long D, int nThreads) {
  return (size_t)(turns * D) * sizeof(float) + (size_t)(nThreads * D) * sizeof(double);
}

/** y [B, T, H, D] = x turned; without a first position it is 0; inverse turns back. */
void rope(Worker* w, long B, long T, long H, long D, float base, int inverse, const void* x,
          int type, Places places, void* y, void* scratch) {
  long turns = places.step ? B * T : T, half = D / 2;
  double* angles = (double*)scratch + w->tid * D;
  float* table = (float*)((double*)scratch + w->nThreads * D);
  for (long d = 0; d < half; d++) angles[d] = pow((double)base, -(double)d / (double)half);
  for (long i; (i = take(w, (turns + ROPE_ROWS - 1) / ROPE_ROWS)) >= 0;)
    for (long r = i * ROPE_ROWS; r < at_most(turns, (i + 1) * ROPE_ROWS); r++)
      turn_row(first_of(&places, r / T, 0) + r % T, half, angles, inverse ? -1 : 1, table + r * D);
  barrier(w);
  for (long i; (i = take(w, (B * T + ROPE_ROWS - 1) / ROPE_ROWS)) >= 0;) {
    long to = at_most(B * T, (i + 1) * ROPE_ROWS);
    (type == BF16 ? rotate_bf16 : rotate_f32)(i * ROPE_ROWS, to, turns, H, D, x, y, table);
  }
  barrier(w);
}

#endif
