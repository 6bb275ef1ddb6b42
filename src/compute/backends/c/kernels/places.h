/*
 * Where the texts of a batch stand and lie: text b begins at position first[b * step], and position
 * j of it lies in page pages[b][j / G] of a cache, at j % G. Texts of different lengths go through
 * one program this way, and may share what they only read.
 */
#ifndef NUTSHELL_PLACES_H
#define NUTSHELL_PLACES_H

#include "simd.h"

typedef struct {
  const int32_t* first; /* NULL: not given */
  long step;            /* 1: one position a text; 0: one for all */
  const int32_t* pages; /* [B, M], missing outside 0..P-1; NULL: text b lies in page b */
  long P, G, M;         /* pages of the cache, tokens of a page, pages of a text */
} Places;

INLINE long first_of(const Places* p, long b, long otherwise) {
  return p->first ? p->first[b * p->step] : otherwise;
}

/** The slot, 0..P*G-1, of position j in [0, M*G) of text b; < 0 when its page is missing. */
INLINE long slot_of(const Places* p, long b, long j) {
  long page = p->pages ? p->pages[b * p->M + j / p->G] : b;
  return page < p->P ? page * p->G + j % p->G : -1;
}

/** How far the keys of text b reach from position `from` on, `to` at most: to a missing page. */
INLINE long end_of_pages(const Places* p, long b, long from, long to) {
  for (long j = from; j < to; j += p->G - j % p->G)
    if (slot_of(p, b, j) < 0) return j;
  return to;
}

#endif
