/*
 * Philox4x32-10 (Salmon et al. 2011): number i is a function of (seed, stream, counter, i), so any
 * worker makes any part. Blocks of four words are made RANDOM_BLOCKS at a time, side by side, which
 * compilers turn into vector code.
 */
#ifndef NUTSHELL_RANDOM_H
#define NUTSHELL_RANDOM_H

#include "thread-pool.h"
#include "simd.h"

enum { RANDOM_BLOCKS = 16, RANDOM_NUMBERS = 4096 };

/* Words c[0..4) of RANDOM_BLOCKS blocks after one round. */
INLINE void philox_round(uint32_t c[4][RANDOM_BLOCKS], uint32_t key0, uint32_t key1) {
  for (int i = 0; i < RANDOM_BLOCKS; i++) {
    uint64_t a = (uint64_t)c[0][i] * 0xd2511f53u, b = (uint64_t)c[2][i] * 0xcd9e8d57u;
    uint32_t c1 = c[1][i], c3 = c[3][i];
    c[0][i] = (uint32_t)(b >> 32) ^ c1 ^ key0;
    c[1][i] = (uint32_t)b;
    c[2][i] = (uint32_t)(a >> 32) ^ c3 ^ key1;
    c[3][i] = (uint32_t)a;
  }
}

/* The 4 RANDOM_BLOCKS numbers from block `first` on: 24 bits each, in [0, 1). */
static void philox_blocks(uint32_t first, uint32_t seed, uint32_t stream, uint32_t counter,
                          float* out) {
  uint32_t c[4][RANDOM_BLOCKS];
  for (uint32_t i = 0; i < RANDOM_BLOCKS; i++) {
    c[0][i] = first + i;
    c[1][i] = 0;
    c[2][i] = stream;
    c[3][i] = counter;
  }
  for (uint32_t r = 0; r < 10; r++) philox_round(c, seed + r * 0x9e3779b9u, r * 0xbb67ae85u);
  for (int i = 0; i < RANDOM_BLOCKS; i++)
    for (int k = 0; k < 4; k++) out[4 * i + k] = (float)(c[k][i] >> 8) * 0x1p-24f;
}

/** out [n] uniform in [0, 1). */
void random_uniform(Worker* w, long n, uint32_t seed, uint32_t stream, const int32_t* counter,
                    float* out) {
  enum { GROUP = 4 * RANDOM_BLOCKS };
  for (long i; (i = take(w, (n + RANDOM_NUMBERS - 1) / RANDOM_NUMBERS)) >= 0;) {
    long end = (i + 1) * RANDOM_NUMBERS < n ? (i + 1) * RANDOM_NUMBERS : n;
    for (long at = i * RANDOM_NUMBERS; at < end; at += GROUP) {
      float numbers[GROUP];
      philox_blocks((uint32_t)(at / 4), seed, stream, (uint32_t)*counter, numbers);
      long count = end - at < GROUP ? end - at : GROUP;
      memcpy(out + at, numbers, (size_t)count * sizeof(float));
    }
  }
  barrier(w);
}

#endif
