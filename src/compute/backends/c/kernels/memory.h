/*
 * Buffers for programs: zeroed, page-aligned, in huge pages where the system has them (a training
 * step walks through hundreds of megabytes; with small pages the address translations alone cost
 * several percent). And the float mode of a run: denormals count as zero, since moments decay
 * through them and each would cost a hundred cycles.
 */
#ifndef NUTSHELL_MEMORY_H
#define NUTSHELL_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "thread-pool.h"

/** Zeroed bytes, or NULL when the system has none left. */
void* buffer_create(size_t bytes);
void buffer_destroy(void* buffer, size_t bytes);

/** Copies by all workers; ends at a barrier. The buffers must not overlap. */
void copy_bytes(Worker* w, void* to, const void* from, size_t bytes);

static inline size_t larger(size_t a, size_t b) { return a > b ? a : b; }

#if defined(__SSE2__)
#include <xmmintrin.h>
typedef unsigned FloatMode;
static inline FloatMode flush_denormals(void) {
  const FloatMode mode = _mm_getcsr();
  _mm_setcsr(mode | 0x8040); /* flush to zero, denormals are zero */
  return mode;
}
static inline void restore_float_mode(FloatMode mode) { _mm_setcsr(mode); }
#else
typedef int FloatMode;
static inline FloatMode flush_denormals(void) { return 0; }
static inline void restore_float_mode(FloatMode mode) { (void)mode; }
#endif

#ifdef NUTSHELL_KERNEL_LIBRARY
enum { COPY_CHUNK = 1 << 18, HUGE_PAGE = 1 << 21 };

/* A buffer that starts inside a huge page would have its hottest part, the start, in small ones. */
static size_t whole_pages(size_t bytes) {
  return bytes < HUGE_PAGE ? bytes : (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

static void* map_pages(size_t bytes) {
  void* p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

void* buffer_create(size_t bytes) {
  const size_t size = whole_pages(bytes);
  if (size < HUGE_PAGE) return map_pages(size);
  char* start = map_pages(size + HUGE_PAGE);
  if (!start) return NULL;
  const size_t before = (HUGE_PAGE - (uintptr_t)start % HUGE_PAGE) % HUGE_PAGE;
  if (before > 0) munmap(start, before);
  munmap(start + before + size, HUGE_PAGE - before);
#ifdef MADV_HUGEPAGE
  madvise(start + before, size, MADV_HUGEPAGE);
#endif
  return start + before;
}

void buffer_destroy(void* buffer, size_t bytes) { munmap(buffer, whole_pages(bytes)); }

void copy_bytes(Worker* w, void* to, const void* from, size_t bytes) {
  const long chunks = (long)((bytes + COPY_CHUNK - 1) / COPY_CHUNK);
  for (long i; (i = take(w, chunks)) >= 0;) {
    const size_t at = (size_t)i * COPY_CHUNK;
    memcpy((char*)to + at, (const char*)from + at, bytes - at < COPY_CHUNK ? bytes - at : COPY_CHUNK);
  }
  barrier(w);
}
#endif

#endif
