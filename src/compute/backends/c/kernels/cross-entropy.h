/*
 * Output head and cross-entropy in one: nll[n] = logSumExp(x[n] . W^T) - its target's logit.
 *
 * Rows come in chunks, so that only a chunk's logits exist. Per chunk: logits = x . W^T in f32;
 * each row turns, where it lies, into d = g (softmax - onehot), stored in the precision of the
 * products that read it (bf16 takes the first half of the row's room); dx = d . W; dW += d^T . x.
 * A chunk is large, because W is packed and dW is read and written once per chunk. Rows whose
 * target is not a token (negative: ignored) give zeros, whatever their logits are.
 */
#ifndef NUTSHELL_CROSS_ENTROPY_H
#define NUTSHELL_CROSS_ENTROPY_H

#include "gemm.h"
#include "vector-math.h"

/* Logits in a chunk at most, and the unit of its rows. */
enum { CHUNK_LOGITS = 9 << 20, CHUNK_UNIT = 64 };

typedef struct {
  long N, C, V;
  const void *x, *weight;
  int xType, wType, compute;
  const int32_t* targets;
  const float* g;
  float* nll;
  float* logits;
  long ld; /* numbers between rows of logits: an odd count of cache lines, so that rows spread */
  long chunk;
} Head;

static Head head_of(long N, long C, long V, const void* x, int xType, const void* weight, int wType,
                    const int32_t* targets, int compute, float* nll) {
  Head h = {.N = N, .C = C, .V = V, .x = x, .weight = weight, .xType = xType, .wType = wType,
            .compute = compute, .targets = targets, .nll = nll};
  long most, chunks;
  h.ld = ((V + 15) / 16 | 1) * 16;
  most = CHUNK_LOGITS / h.ld > CHUNK_UNIT ? CHUNK_LOGITS / h.ld : CHUNK_UNIT;
  chunks = (N + most - 1) / most;
  h.chunk = at_most(round_up((N + chunks - 1) / chunks, CHUNK_UNIT), N);
  return h;
}

/* The three products for rows n0..n0+rows. */
static Gemm logits_product(const Head* h, long n0, long rows) {
  const char* x = (const char*)h->x + n0 * h->C * (long)type_bytes(h->xType);
  return (Gemm){.M = rows, .N = h->V, .K = h->C, .a = x, .lda = h->C, .aType = h->xType,
                .b = h->weight, .ldb = h->C, .bType = h->wType, .bTrans = 1,
                .compute = h->compute, .c = h->logits, .ldc = h->ld};
}

INLINE long dlogits_stride(const Head* h) { return h->compute == BF16 ? 2 * h->ld : h->ld; }

static void store_narrow(const void* to, long row, long col, int n, const float* sums) {
  const Gemm* product = to;
  uint16_t* out = (uint16_t*)product->c + row * product->ldc + col;
  for (int i = 0; i < n; i++) out[i] = f32_to_bf16(sums[i]);
}

static Gemm dx_product(const Head* h, long n0, long rows, void* dx, int dxType) {
  char* to = (char*)dx + n0 * h->C * (long)type_bytes(dxType);
  return (Gemm){.M = rows, .N = h->C, .K = h->V, .a = h->logits, .lda = dlogits_stride(h),
                .aType = h->compute, .b = h->weight, .ldb = h->C, .bType = h->wType,
                .compute = h->compute, .epilogue = dxType == BF16 ? store_narrow : NULL,
                .c = (float*)to, .ldc = h->C};
}

static Gemm dw_product(const Head* h, long n0, long rows, float* dw) {
  const char* x = (const char*)h->x + n0 * h->C * (long)type_bytes(h->xType);
  return (Gemm){.M = h->V, .N = h->C, .K = rows, .a = h->logits, .lda = dlogits_stride(h),
                .aType = h->compute, .aTrans = 1, .b = x, .ldb = h->C, .bType = h->xType,
                .compute = h->compute, .c = dw, .ldc = h->C, .accumulate = n0 > 0};
}

INLINE float row_top(const float* row, long V) {
  Vec top = vec_of(row[0]);
  long v = 0;
  for (; v + LANES <= V; v += LANES) top = vec_max(load_lanes(row, v, F32), top);
  float best = vec_top(top);
  for (; v < V; v++) best = row[v] > best ? row[v] : best;
  return best;
}

/* The row becomes e^(logit - top), if `keep`; returns the sum. */
INLINE float exp_row(float* row, long V, float top, int keep) {
  Vec sum = {0};
  long v = 0;
  for (; v + LANES <= V; v += LANES) {
    Vec e = vec_exp(load_lanes(row, v, F32) - top);
    if (keep) store_lanes(row, v, F32, e);
    sum += e;
  }
  float total = vec_sum(sum);
  for (; v < V; v++) {
    float e = vexpf(row[v] - top);
    if (keep) row[v] = e;
    total += e;
  }
  return total;
}

INLINE int is_token(int32_t target, long V) { return target >= 0 && target < V; }

/* nll of row n, its logits in row. */
KERNEL void nll_row(const Head* h, long n, float* row) {
  int32_t target = h->targets[n];
  h->nll[n] = 0;
  if (!is_token(target, h->V)) return;
  float top = row_top(row, h->V);
  h->nll[n] = logf(exp_row(row, h->V, top, 0)) + top - row[target];
}

INLINE void scale_row(float* row, long V, float scale, int type) {
  for (long v = 0; v < V; v += LANES)
    store_upto(row, v, V - v, type, load_upto(row, v, V - v, F32) * scale);
}

/* The same, and the row becomes its own gradient. */
KERNEL void dlogits_row(const Head* h, long n, float* row) {
  int32_t target = h->targets[n];
  h->nll[n] = 0;
  if (!is_token(target, h->V)) {
    memset(row, 0, (size_t)h->V * type_bytes(h->compute));
    return;
  }
  float top = row_top(row, h->V), logit = row[target];
  float sum = exp_row(row, h->V, top, 1), scale = h->g[n] / sum;
  float d = row[target] * scale - h->g[n];
  h->nll[n] = logf(sum) + top - logit;
  if (h->compute == BF16) scale_row(row, h->V, scale, BF16);
  else scale_row(row, h->V, scale, F32);
  store_number(row, target, h->compute, d);
}

static void each_row(Worker* w, const Head* h, long n0, long rows,
                     void (*visit)(const Head*, long, float*)) {
  for (long i; (i = take(w, rows)) >= 0;) visit(h, n0 + i, h->logits + i * h->ld);
  barrier(w);
}

INLINE size_t most_bytes(size_t a, size_t b) { return a > b ? a : b; }

INLINE size_t logits_bytes(const Head* h) { return (size_t)(h->chunk * h->ld) * sizeof(float); }

static size_t forward_bytes(const Head* h, int nThreads) {
  Gemm whole = logits_product(h, 0, h->chunk);
  Gemm rest = logits_product(h, 0, h->N % h->chunk ? h->N % h->chunk : h->chunk);
  return most_bytes(matmul_scratch(&whole, nThreads), matmul_scratch(&rest, nThreads));
}

static size_t backward_bytes(const Head* h, long rows, int nThreads) {
  Gemm dx = dx_product(h, 0, rows, NULL, F32), dw = dw_product(h, 0, rows, NULL);
  return most_bytes(matmul_scratch(&dx, nThreads), matmul_scratch(&dw, nThreads));
}

size_t linear_cross_entropy_scratch(long N, long C, long V, int xType, int wType, int compute,
                                    int nThreads) {
  Head h = head_of(N, C, V, NULL, xType, NULL, wType, NULL, compute, NULL);
  return logits_bytes(&h) + forward_bytes(&h, nThreads);
}

size_t linear_cross_entropy_grad_scratch(long N, long C, long V, int xType, int wType, int compute,
                                         int nThreads) {
  Head h = head_of(N, C, V, NULL, xType, NULL, wType, NULL, compute, NULL);
  size_t whole = backward_bytes(&h, h.chunk, nThreads);
  size_t rest = backward_bytes(&h, N % h.chunk ? N % h.chunk : h.chunk, nThreads);
  return logits_bytes(&h) + most_bytes(forward_bytes(&h, nThreads), most_bytes(whole, rest));
}

/** nll [N], in nats. x [N, C], weight [V, C]. */
void linear_cross_entropy(Worker* w, long N, long C, long V, const void* x, int xType,
                          const void* weight, int wType, const int32_t* targets, int compute,
                          float* nll, void* scratch) {
  Head h = head_of(N, C, V, x, xType, weight, wType, targets, compute, nll);
  h.logits = scratch;
  for (long n0 = 0; n0 < N; n0 += h.chunk) {
    long rows = at_most(h.chunk, N - n0);
    Gemm logits = logits_product(&h, n0, rows);
    matmul(w, &logits, (char*)scratch + logits_bytes(&h));
    each_row(w, &h, n0, rows, nll_row);
  }
}

/** nll [N], dx [N, C] and dw [V, C], given g [N], the gradient of nll. */
void linear_cross_entropy_grad(Worker* w, long N, long C, long V, const void* x, int xType,
                               const void* weight, int wType, const int32_t* targets,
                               const float* g, int compute, float* nll, void* dx, int dxType,
                               float* dw, void* scratch) {
  Head h = head_of(N, C, V, x, xType, weight, wType, targets, compute, nll);
  h.logits = scratch;
  h.g = g;
  char* own = (char*)scratch + logits_bytes(&h);
  for (long n0 = 0; n0 < N; n0 += h.chunk) {
    long rows = at_most(h.chunk, N - n0);
    Gemm logits = logits_product(&h, n0, rows), toX = dx_product(&h, n0, rows, dx, dxType);
    Gemm toW = dw_product(&h, n0, rows, dw);
    if (dxType == BF16) toX.env = &toX;
    matmul(w, &logits, own);
    each_row(w, &h, n0, rows, dlogits_row);
    matmul(w, &toX, own);
    matmul(w, &toW, own);
  }
}

#endif
