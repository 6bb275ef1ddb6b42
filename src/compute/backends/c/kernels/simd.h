/*
 * Which vector machine this program is for, and the few types every kernel is written in.
 *
 * Kernels use GCC/Clang vector extensions, so one source serves all machines; a machine here is
 * only four numbers and, if it has them, the bf16 instructions. The choice follows the compiler's
 * target (`-march=native`); -DNUTSHELL_ISA_AVX512BF16, _AVX512F, _AVX2, _NEON or _PORTABLE forces it.
 *
 *   LANES       f32 numbers in one vector register
 *   TILE_ROWS   rows of the matmul register tile: 8 where there are 32 registers, 4 where 16.
 *               The tile is TILE_ROWS x 3 vectors: 24 (12) sums + 3 of B + 1 of A fill the file.
 *   SQUARE      side of the 32-bit transpose that the packers work in, min(LANES, TILE_ROWS)
 *   NATIVE_BF16 1 when the machine multiplies pairs of bf16 into f32 sums
 */
#ifndef NUTSHELL_SIMD_H
#define NUTSHELL_SIMD_H

#include <stdint.h>
#include <string.h>

#if !defined(NUTSHELL_ISA_AVX512BF16) && !defined(NUTSHELL_ISA_AVX512F) && \
    !defined(NUTSHELL_ISA_AVX2) && !defined(NUTSHELL_ISA_NEON) && !defined(NUTSHELL_ISA_PORTABLE)
#if defined(__AVX512BF16__) && defined(__AVX512VL__)
#define NUTSHELL_ISA_AVX512BF16
#elif defined(__AVX512F__)
#define NUTSHELL_ISA_AVX512F
#elif defined(__AVX2__) && defined(__FMA__)
#define NUTSHELL_ISA_AVX2
#elif defined(__ARM_NEON) && defined(__aarch64__)
#define NUTSHELL_ISA_NEON
#else
#define NUTSHELL_ISA_PORTABLE
#endif
#endif

#if defined(NUTSHELL_ISA_AVX512BF16)
#include <immintrin.h>
enum { LANES = 16, TILE_ROWS = 8, SQUARE = 8, NATIVE_BF16 = 1 };
#define ISA_NAME "avx512bf16"
#elif defined(NUTSHELL_ISA_AVX512F)
enum { LANES = 16, TILE_ROWS = 8, SQUARE = 8, NATIVE_BF16 = 0 };
#define ISA_NAME "avx512f"
#elif defined(NUTSHELL_ISA_AVX2)
enum { LANES = 8, TILE_ROWS = 4, SQUARE = 4, NATIVE_BF16 = 0 };
#define ISA_NAME "avx2"
#elif defined(NUTSHELL_ISA_NEON)
enum { LANES = 4, TILE_ROWS = 8, SQUARE = 4, NATIVE_BF16 = 0 };
#define ISA_NAME "neon"
#else
enum { LANES = 4, TILE_ROWS = 4, SQUARE = 4, NATIVE_BF16 = 0 };
#define ISA_NAME "portable"
#endif

enum { TILE_VECTORS = 3, TILE_COLS = TILE_VECTORS * LANES };

/** Storage types of an array, and precisions of a product; the last two are quants.h's. */
enum { F32 = 0, BF16 = 1, Q8_0 = 2, Q4_0 = 3 };

#define INLINE static inline __attribute__((always_inline, unused))
#define KERNEL static __attribute__((noinline, unused))
#define PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define UNROLL(n) PRAGMA(clang loop unroll_count(n))
#else
#define UNROLL(n) PRAGMA(GCC unroll n)
#endif

/* The unaligned, may_alias twin of each vector type is what memory is read and written through. */
typedef float Vec __attribute__((vector_size(4 * LANES)));
typedef float VecAt __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint32_t Words __attribute__((vector_size(4 * SQUARE)));
typedef uint32_t WordsAt __attribute__((vector_size(4 * SQUARE), aligned(2), may_alias));
typedef uint16_t Halves __attribute__((vector_size(2 * SQUARE)));
typedef uint16_t HalvesAt __attribute__((vector_size(2 * SQUARE), aligned(2), may_alias));
typedef float Floats __attribute__((vector_size(4 * SQUARE)));

INLINE size_t type_bytes(int type) { return type == BF16 ? 2 : 4; }

INLINE float bf16_to_f32(uint16_t half) {
  uint32_t bits = (uint32_t)half << 16;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

/** Nearest bf16, ties to even; NaN stays NaN. */
INLINE uint16_t f32_to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
