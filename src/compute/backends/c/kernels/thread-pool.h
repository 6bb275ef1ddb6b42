/*
 * A persistent team of threads that all run the same function (SPMD); the caller is worker 0.
 *
 * Inside it two things keep them together. `barrier(w)`: nobody passes before all have arrived;
 * everything written before it is seen by all after it. `take(w, n)`: hands out 0..n-1, each once,
 * to whoever asks first. The counter starts again at the next barrier, so the pattern is
 *
 *     for (long i; (i = take(w, n)) >= 0;) chunk(i);
 *     barrier(w);
 *
 * A chunk's result must depend on its index only, never on who runs it: then the same thread count
 * gives the same bits. Waiting spins for about SPIN pauses (the usual wait is far shorter), then
 * sleeps, so that a team whose core was taken by another process gives its own cores away. Every
 * YIELD pauses a waiter lets others run: a busy system may have put two workers on one core, and
 * then the one that spins keeps the other from arriving (measured: 10 ms a barrier, 0.1 with it).
 */
#ifndef NUTSHELL_THREAD_POOL_H
#define NUTSHELL_THREAD_POOL_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"

enum { SPIN = 4000, YIELD = 64, CACHE_LINE = 64 };

typedef struct Pool Pool;
typedef struct Worker {
  int tid, nThreads;
  Pool* pool;
} Worker;

struct Pool {
  _Alignas(CACHE_LINE) atomic_long next;    /* what take() hands out */
  _Alignas(CACHE_LINE) atomic_int arrived;  /* workers at the barrier */
  _Alignas(CACHE_LINE) atomic_uint phase;   /* barriers passed */
  atomic_int sleepers;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  void (*fn)(Worker*, void*);
  void* env;
  int stop;
  Affinity cores; /* that the team was made on */
  int bound;      /* each worker has a core of its own */
  atomic_int nThreads;
  Worker* workers;
  pthread_t* threads;
};

static inline void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

static void wait_phase(Pool* p, unsigned phase) {
  for (int i = 0; i < SPIN; i++) {
    if (atomic_load_explicit(&p->phase, memory_order_acquire) != phase) return;
    if (i % YIELD == YIELD - 1) sched_yield();
    else pause_cpu();
  }
  pthread_mutex_lock(&p->lock);
  atomic_fetch_add(&p->sleepers, 1);
  while (atomic_load(&p->phase) == phase) pthread_cond_wait(&p->wake, &p->lock);
  atomic_fetch_sub(&p->sleepers, 1);
  pthread_mutex_unlock(&p->lock);
}

/* Either the sleeper sees the new phase or this sees the sleeper: both are sequentially consistent. */
static void next_phase(Pool* p, unsigned phase) {
  atomic_store_explicit(&p->next, 0, memory_order_relaxed);
  atomic_store_explicit(&p->arrived, 0, memory_order_relaxed);
  atomic_store(&p->phase, phase + 1);
  if (atomic_load(&p->sleepers) == 0) return;
  pthread_mutex_lock(&p->lock);
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
}

static inline void barrier(Worker* w) {
  Pool* p = w->pool;
  if (w->nThreads == 1) {
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    return;
  }
  unsigned phase = atomic_load_explicit(&p->phase, memory_order_relaxed);
  int before = atomic_fetch_add_explicit(&p->arrived, 1, memory_order_acq_rel);
  if (before == atomic_load_explicit(&p->nThreads, memory_order_relaxed) - 1) next_phase(p, phase);
  else wait_phase(p, phase);
}

/** The next chunk of 0..n-1, or -1 when all are taken. */
static inline long take(Worker* w, long n) {
  atomic_long* next = &w->pool->next;
  long i;
  if (w->nThreads == 1) {
    i = atomic_load_explicit(next, memory_order_relaxed);
    atomic_store_explicit(next, i + 1, memory_order_relaxed);
  } else {
    i = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
  }
  return i < n ? i : -1;
}

static void* worker_main(void* self) {
  Worker* w = self;
  if (w->pool->bound) bind_to_nth(&w->pool->cores, w->tid);
  for (;;) {
    barrier(w);
    if (w->pool->stop) return NULL;
    w->pool->fn(w, w->pool->env);
    barrier(w);
  }
}

/** Runs fn(worker, env) on every worker and returns when all are done. One caller at a time. */
static void pool_run(Pool* p, void (*fn)(Worker*, void*), void* env) {
  const Affinity before = current_affinity();
  if (p->bound) bind_to_nth(&p->cores, 0);
  p->fn = fn;
  p->env = env;
  barrier(&p->workers[0]);
  fn(&p->workers[0], env);
  barrier(&p->workers[0]);
  if (p->bound) restore_affinity(&before);
}

static void pool_free(Pool* p) {
  pthread_mutex_destroy(&p->lock);
  pthread_cond_destroy(&p->wake);
  free(p->workers);
  free(p->threads);
  free(p);
}

/** Ends and joins the threads; the team must be idle. */
static void pool_destroy(Pool* p) {
  p->stop = 1;
  barrier(&p->workers[0]);
  for (int i = 1; i < p->nThreads; i++) pthread_join(p->threads[i], NULL);
  pool_free(p);
}

/** A team of nThreads >= 1, the caller included; NULL when the system refuses a thread or memory. */
static Pool* pool_create(int nThreads) {
  Pool* p = aligned_alloc(CACHE_LINE, sizeof(Pool));
  if (!p) return NULL;
  memset(p, 0, sizeof *p);
  p->nThreads = nThreads;
  p->cores = current_affinity();
  p->bound = fills(&p->cores, nThreads);
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL);
  p->workers = calloc((size_t)nThreads, sizeof(Worker));
  p->threads = calloc((size_t)nThreads, sizeof(pthread_t));
  if (!p->workers || !p->threads) return pool_free(p), NULL;
  for (int i = 0; i < nThreads; i++) p->workers[i] = (Worker){i, nThreads, p};
  for (int i = 1; i < nThreads; i++) {
    if (pthread_create(&p->threads[i], NULL, worker_main, &p->workers[i]) == 0) continue;
    p->nThreads = i;
    return pool_destroy(p), NULL;
  }
  return p;
}

#endif
