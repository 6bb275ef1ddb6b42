/*
 * One core per worker, while a team that fills the machine runs. A scheduler that saves power or
 * shares cores among guests wakes a sleeping worker on the core of the one that woke it, and moves
 * it away only after tens of milliseconds; a product of 5 ms then runs at one core's rate (measured:
 * 112 instead of 200 GFLOP/s in f32). A team smaller than the machine is left to the scheduler, and
 * so is everything on systems that do not let threads choose.
 */
#ifndef NUTSHELL_AFFINITY_H
#define NUTSHELL_AFFINITY_H

#if defined(__linux__)
#include <sched.h>

typedef cpu_set_t Affinity;

static inline Affinity current_affinity(void) {
  Affinity set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

/** Whether `set` holds just as many cores as there are workers. */
static inline int fills(const Affinity* set, int nThreads) {
  return nThreads > 1 && CPU_COUNT(set) == nThreads;
}

/** Moves the calling thread to the n-th core of `set`. */
static inline void bind_to_nth(const Affinity* set, int n) {
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, set) || n-- > 0) continue;
    Affinity one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

static inline void restore_affinity(const Affinity* set) { sched_setaffinity(0, sizeof *set, set); }
#else
typedef int Affinity;
static inline Affinity current_affinity(void) { return 0; }
static inline int fills(const Affinity* set, int nThreads) { return (void)set, (void)nThreads, 0; }
static inline void bind_to_nth(const Affinity* set, int n) { (void)set, (void)n; }
static inline void restore_affinity(const Affinity* set) { (void)set; }
#endif

#endif
