/*
 * Where the rows of a batch stand: row b begins at position first[b * step] and has row rows[b] of
 * a cache. Texts of different lengths go through one program this way.
 */
#ifndef NUTSHELL_PLACES_H
#define NUTSHELL_PLACES_H

#include "simd.h"

typedef struct {
  const int32_t* first; /* NULL: not given */
  long step;            /* 1: one position a row; 0: one for all */
  const int32_t* rows;  /* NULL: row b itself */
} Places;

INLINE long first_of(const Places* p, long b, long otherwise) {
  return p->first ? p->first[b * p->step] : otherwise;
}

INLINE long cache_row(const Places* p, long b) { return p->rows ? p->rows[b] : b; }

#endif
