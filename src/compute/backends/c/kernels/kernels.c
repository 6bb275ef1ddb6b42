/* The kernel library: every kernel for the machine that the compiler targets. */
#define NUTSHELL_KERNEL_LIBRARY
#include "kernels.h"

#include "attention.h"
#include "cross-entropy.h"
#include "embedding.h"
#include "optimizer.h"
#include "random.h"
#include "reduce.h"
#include "rms-norm.h"
#include "rope.h"
#include "sample.h"

Pool* team_create(int nThreads) { return pool_create(nThreads); }
void team_run(Pool* p, void (*fn)(Worker*, void*), void* env) { pool_run(p, fn, env); }
void team_destroy(Pool* p) { pool_destroy(p); }
const char* machine_name(void) { return ISA_NAME; }

void matmul(Worker* w, const Gemm* g, void* scratch) { gemm(w, g, scratch); }
size_t matmul_scratch(const Gemm* g, int nThreads) { return gemm_scratch_bytes(g, nThreads); }
