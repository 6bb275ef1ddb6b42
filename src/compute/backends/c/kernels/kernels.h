/*
 * What a generated program may call. Kernels are compiled once, into one shared library
 * (kernels.c); a program includes this file and is linked to that library.
 *
 * Every function with a Worker is called by all workers of a team with the same arguments and
 * returns behind a barrier. Buffers are 64-byte aligned; sizes are arbitrary and > 0; types are
 * F32 or BF16 (uint16_t). Scratch holds what the function's `_scratch` twin says. A result depends
 * on the arguments only: not on which worker did what, nor on how many there are.
 * Letters: B batch, T query time, S key time, H heads, K key heads, D head size, C channels,
 * V vocabulary, N rows.
 */
#ifndef NUTSHELL_KERNELS_H
#define NUTSHELL_KERNELS_H

#include "gemm.h"
#include "memory.h"
#include "places.h"
#include "thread-pool.h"
#include "vector-math.h"

/** The team: pool_create, pool_run and pool_destroy of thread-pool.h. */
Pool* team_create(int nThreads);
void team_run(Pool*, void (*fn)(Worker*, void*), void* env);
void team_destroy(Pool*);
/** The vector machine that the kernels were compiled for. */
const char* machine_name(void);

/** gemm and gemm_scratch_bytes of gemm.h. */
void matmul(Worker*, const Gemm*, void* scratch);
size_t matmul_scratch(const Gemm*, int nThreads);

void rms_norm(Worker*, long rows, long C, float eps, const void* x, int xType, const float* gain,
              void* y, int yType, float* scale);
void rms_norm_grad(Worker*, long rows, long C, const void* x, int xType, const float* gain,
                   const float* scale, const void* dy, int dyType, const float* residual,
                   float* dx, float* dw, void* scratch);
size_t rms_norm_grad_scratch(long rows, long C);

void rope(Worker*, long B, long T, long H, long D, float base, int inverse, const void* x,
          int type, Places places, void* y, void* scratch);
size_t rope_scratch(long turns, long D, int nThreads);

void embedding(Worker*, long N, long V, long C, const float* table, const int32_t* ids,
               float* out);
void dequantize(Worker*, long N, long R, long C, int type, const void* words, const void* scales,
                const int32_t* ids, float* out);
void embedding_grad(Worker*, long N, long V, long C, const int32_t* ids, const void* dy,
                    int dyType, float* out);
void write_rows(Worker*, long B, long T, long rowBytes, void* cache, const void* x,
                Places places);

void attention(Worker*, long B, long T, long S, long H, long K, long D, long window,
               const void* q, const void* k, const void* v, int type, Places places,
               void* o, float* lse, void* scratch);
size_t attention_scratch(long B, long T, long S, long H, long K, long D, int type, int nThreads);
void attention_grad(Worker*, long B, long T, long S, long H, long K, long D, long window,
                    const void* q, const void* k, const void* v, int type, const void* o,
                    const float* lse, const void* dy, Places places, void* dq, void* dk,
                    void* dv, void* scratch);
size_t attention_grad_scratch(long B, long T, long S, long H, long K, long D, int type,
                              int nThreads);

void linear_cross_entropy(Worker*, long N, long C, long V, const void* x, int xType,
                          const void* weight, int wType, const int32_t* targets, int compute,
                          float* nll, void* scratch);
size_t linear_cross_entropy_scratch(long N, long C, long V, int xType, int wType, int compute,
                                    int nThreads);
void linear_cross_entropy_grad(Worker*, long N, long C, long V, const void* x, int xType,
                               const void* weight, int wType, const int32_t* targets,
                               const float* g, int compute, float* nll, void* dx, int dxType,
                               float* dw, void* scratch);
size_t linear_cross_entropy_grad_scratch(long N, long C, long V, int xType, int wType, int compute,
                                         int nThreads);

void adamw(Worker*, long n, float* p, const float* g, float* m, float* v, const float* scalars,
           double beta1, double beta2, float eps, float weightDecay, float lrScale);
void sum_squares(Worker*, int count, const float* const* xs, const long* sizes, float* out,
                 void* scratch);
size_t sum_squares_scratch(int count, const long* sizes);
void allow_ids(Worker*, long B, long V, const float* logits, const int32_t* allowed, float* out);
void sample_rows(Worker*, long B, long V, const float* logits, const float* uniform,
                 const float* temperature, const int32_t* limit, int32_t* id, float* logprob,
                 float* entropy, void* scratch);
size_t sample_rows_scratch(long V, int nThreads);
void random_uniform(Worker*, long n, uint32_t seed, uint32_t stream, const int32_t* counter,
                    float* out);

#endif
