/*
 * RMSNorm over rows of C numbers: y = x gain scale, scale = 1 / sqrt(mean(x^2) + eps); and its
 * gradient. Rows are independent and memory sets the pace; a row comes from memory once and stays
 * in L1 for the second look. The gain's gradient sums over rows: a fixed number of row blocks make
 * partial sums, added up in order, so that its bits do not depend on the number of threads.
 */
#ifndef NUTSHELL_RMS_NORM_H
#define NUTSHELL_RMS_NORM_H

#include "thread-pool.h"
#include "vector-math.h"

enum { NORM_ROWS = 16, NORM_PARTS = 64, NORM_COLUMNS = 64 };

INLINE void norm_row(long C, float eps, const void* x, int xType, const float* gain, void* y,
                     int yType, float* scale, long at) {
  Vec even = {0}, odd = {0};
  for (long c = 0; c < C; c += 2 * LANES) {
    Vec a = load_upto(x, at + c, C - c, xType);
    Vec b = load_upto(x, at + c + LANES, C - c - LANES, xType);
    even += a * a;
    odd += b * b;
  }
  *scale = 1.0f / sqrtf(vec_sum(even + odd) / (float)C + eps);
  for (long c = 0; c < C; c += LANES) {
    Vec v = load_upto(x, at + c, C - c, xType) * load_upto(gain, c, C - c, F32);
    store_upto(y, at + c, C - c, yType, v * *scale);
  }
}

#define DEFINE_NORM_ROWS(xName, yName, xType, yType)                                            \
  KERNEL void norm_rows_##xName##_##yName(long from, long to, long C, float eps, const void* x, \
                                          const float* gain, void* y, float* scale) {           \
    for (long r = from; r < to; r++)                                                            \
      norm_row(C, eps, x, xType, gain, y, yType, scale + r, r * C);                             \
  }
DEFINE_NORM_ROWS(f32, f32, F32, F32)
DEFINE_NORM_ROWS(f32, bf16, F32, BF16)
DEFINE_NORM_ROWS(bf16, f32, BF16, F32)
DEFINE_NORM_ROWS(bf16, bf16, BF16, BF16)

/** y [rows, C] and scale [rows] from x [rows, C] and gain [C]. */
void rms_norm(Worker* w, long rows, long C, float eps, const void* x, int xType, const float* gain,
              void* y, int yType, float* scale) {
  static void (*const kernels[2][2])(long, long, long, float, const void*, const float*, void*,
                                     float*) = {{norm_rows_f32_f32, norm_rows_f32_bf16},
                                                {norm_rows_bf16_f32, norm_rows_bf16_bf16}};
  for (long i; (i = take(w, (rows + NORM_ROWS - 1) / NORM_ROWS)) >= 0;) {
    long from = i * NORM_ROWS, to = from + NORM_ROWS < rows ? from + NORM_ROWS : rows;
    kernels[xType][yType](from, to, C, eps, x, gain, y, scale);
  }
  barrier(w);
}

typedef struct {
  long C;
  const void *x, *dy;
  const float *gain, *scale, *residual;
  float* dx;
} NormGrad;

/* dx of one row; what it adds to the gain's gradient goes to dw. */
INLINE void norm_grad_row(const NormGrad* g, int xType, int dyType, int add, long r, float* dw) {
  long C = g->C, at = r * C;
  float s = g->scale[r];
  Vec dot = {0};
  for (long c = 0; c < C; c += LANES) {
    Vec product = load_upto(g->x, at + c, C - c, xType) * load_upto(g->dy, at + c, C - c, dyType);
    dot += product * load_upto(g->gain, c, C - c, F32);
    store_upto(dw, c, C - c, F32, load_upto(dw, c, C - c, F32) + product * s);
  }
  float pull = s * s * s * vec_sum(dot) / (float)C;
  for (long c = 0; c < C; c += LANES) {
    Vec push = load_upto(g->dy, at + c, C - c, dyType) * load_upto(g->gain, c, C - c, F32) * s;
    Vec dx = push - load_upto(g->x, at + c, C - c, xType) * pull;
    if (add) dx += load_upto(g->residual, at + c, C - c, F32);
    store_upto(g->dx, at + c, C - c, F32, dx);
  }
}

#define DEFINE_NORM_GRAD(xName, dyName, xType, dyType)                                            \
  KERNEL void norm_grad_##xName##_##dyName(const NormGrad* g, long from, long to, float* dw) {    \
    if (g->residual)                                                                              \
      for (long r = from; r < to; r++) norm_grad_row(g, xType, dyType, 1, r, dw);                 \
    else                                                                                          \
      for (long r = from; r < to; r++) norm_grad_row(g, xType, dyType, 0, r, dw);                 \
  }
DEFINE_NORM_GRAD(f32, f32, F32, F32)
DEFINE_NORM_GRAD(f32, bf16, F32, BF16)
DEFINE_NORM_GRAD(bf16, f32, BF16, F32)
DEFINE_NORM_GRAD(bf16, bf16, BF16, BF16)

INLINE long norm_part_rows(long rows) {
  long even = (rows + NORM_PARTS - 1) / NORM_PARTS;
  return even > NORM_ROWS ? even : NORM_ROWS;
}

size_t rms_norm_grad_scratch(long rows, long C) {
  long partRows = norm_part_rows(rows);
  return (size_t)((rows + partRows - 1) / partRows * C) * sizeof(float);
}

static void sum_parts(Worker* w, long parts, long C, const float* from, float* dw) {
  for (long i; (i = take(w, (C + NORM_COLUMNS - 1) / NORM_COLUMNS)) >= 0;) {
    long end = (i + 1) * NORM_COLUMNS < C ? (i + 1) * NORM_COLUMNS : C;
    for (long c = i * NORM_COLUMNS; c < end; c += LANES) {
      Vec sum = {0};
      for (long p = 0; p < parts; p++) sum += load_upto(from, p * C + c, end - c, F32);
      store_upto(dw, c, end - c, F32, sum);
    }
  }
  barrier(w);
}

/** dx [rows, C] (+ residual, when there is one) and dw [C]. */
void rms_norm_grad(Worker* w, long rows, long C, const void* x, int xType, const float* gain,
                   const float* scale, const void* dy, int dyType, const float* residual,
                   float* dx, float* dw, void* scratch) {
  static void (*const kernels[2][2])(const NormGrad*, long, long, float*) = {
      {norm_grad_f32_f32, norm_grad_f32_bf16}, {norm_grad_bf16_f32, norm_grad_bf16_bf16}};
  NormGrad g = {C, x, dy, gain, scale, residual, dx};
  long partRows = norm_part_rows(rows), parts = (rows + partRows - 1) / partRows;
  for (long i; (i = take(w, parts)) >= 0;) {
    float* part = (float*)scratch + i * C;
    memset(part, 0, (size_t)C * sizeof(float));
    long end = (i + 1) * partRows < rows ? (i + 1) * partRows : rows;
    kernels[xType][dyType](&g, i * partRows, end, part);
  }
  barrier(w);
  sum_parts(w, parts, C, scratch, dw);
}

#endif
