/*
 * Arithmetic that both kernels and generated programs are made of.
 *
 * The scalar functions (vexpf, vsigmoidf, vtanhf) have no branches, so that a compiler turns a loop
 * of them into vector code without -ffast-math. The functions on Vec are the same for code that is
 * written in vectors; load_upto and store_upto move up to LANES numbers of either storage type, so
 * a row of any length is one loop. NaN stays NaN in all of them.
 */
#ifndef NUTSHELL_VECTOR_MATH_H
#define NUTSHELL_VECTOR_MATH_H

#include <math.h>

#include "simd.h"

typedef int32_t IntVec __attribute__((vector_size(4 * LANES)));
typedef uint32_t WordVec __attribute__((vector_size(4 * LANES)));
typedef uint16_t HalfVec __attribute__((vector_size(2 * LANES)));
typedef uint16_t HalfVecAt __attribute__((vector_size(2 * LANES), aligned(2), may_alias));

/* x = n ln 2 + r: ln 2 in two parts, the first short enough that n times it is exact. */
#define LOG2_E 1.44269504f
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cp-20f
/* Adding it rounds to an integer, which then stands in the low bits. */
#define ROUNDER 12582912.0f

INLINE float float_of_bits(int32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

INLINE int32_t bits_of_float(float x) {
  int32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

/* exp(r) for |r| <= ln 2 / 2: Cephes' minimax polynomial, for scalars and vectors alike. */
#define EXP_POLYNOMIAL(r)                                                                      \
  ((((((1.9875691500e-4f * (r) + 1.3981999507e-3f) * (r) + 8.3334519073e-3f) * (r) +           \
      4.1665795894e-2f) * (r) + 1.6666665459e-1f) * (r) + 5.0000001201e-1f) * ((r) * (r)) + (r) + \
   1.0f)

/** e^x within 2 ulp; 0 below -104, infinite above 88.8. */
INLINE float vexpf(float x) {
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  float shifted = x * LOG2_E + ROUNDER;
  float n = shifted - ROUNDER;
  float r = (x - n * LN2_HIGH) - n * LN2_LOW;
  int32_t power = bits_of_float(shifted) - bits_of_float(ROUNDER), half = power >> 1;
  float low = float_of_bits((half + 127) * (1 << 23));
  float high = float_of_bits((power - half + 127) * (1 << 23));
  return EXP_POLYNOMIAL(r) * low * high;
}

/** 1 / (1 + e^-x). */
INLINE float vsigmoidf(float x) { return 1.0f / (1.0f + vexpf(-x)); }

/** tanh within 3 ulp: a polynomial near 0, where 1 - 2 / (e^2x + 1) would cancel. */
INLINE float vtanhf(float x) {
  float a = fabsf(x), z = x * x;
  float near = ((((-5.70498872745e-3f * z + 2.06390887954e-2f) * z - 5.37397155531e-2f) * z +
                 1.33314422036e-1f) * z - 3.33332819422e-1f) * z * x + x;
  float far = copysignf(1.0f - 2.0f / (vexpf(2.0f * a) + 1.0f), x);
  return a < 0.625f ? near : far;
}

INLINE Vec vec_of(float x) { return x - (Vec){0}; }
INLINE Vec vec_select(IntVec mask, Vec a, Vec b) {
  return (Vec)(((IntVec)a & mask) | ((IntVec)b & ~mask));
}

INLINE Vec vec_max(Vec a, Vec b) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  return _mm512_max_ps(a, b);
#else
  return vec_select((IntVec)(a > b), a, b);
#endif
}

/** e^x lane by lane, for x <= 0 (softmax after the maximum is taken out); 0 below -87. */
INLINE Vec vec_exp(Vec x) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  x = _mm512_max_ps(vec_of(-200.0f), x);
  Vec n = _mm512_roundscale_ps(x * LOG2_E, 0);
  Vec r = (x - n * LN2_HIGH) - n * LN2_LOW;
  return _mm512_scalef_ps(EXP_POLYNOMIAL(r), n);
#else
  IntVec tiny = (IntVec)(x < -87.0f);
  x = vec_select(tiny, vec_of(-87.0f), x);
  Vec shifted = x * LOG2_E + ROUNDER, n = shifted - ROUNDER;
  Vec r = (x - n * LN2_HIGH) - n * LN2_LOW;
  IntVec power = (IntVec)shifted - (IntVec)vec_of(ROUNDER);
  Vec y = EXP_POLYNOMIAL(r) * (Vec)((power + 127) << 23);
  return (Vec)((IntVec)y & ~tiny);
#endif
}

/** 1 / (1 + e^-x) lane by lane, from e^-|x|, which cannot overflow. */
INLINE Vec vec_sigmoid(Vec x) {
  IntVec negative = (IntVec)x >> 31;
  Vec e = vec_exp((Vec)((IntVec)x | (IntVec)vec_of(-0.0f)));
  return vec_select(negative, e, vec_of(1.0f)) / (1.0f + e);
}

/** 2^x lane by lane, x < 120, relative error 2e-7: softmax in base 2, cheaper than e^x. */
INLINE Vec vec_exp2(Vec x) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  Vec n = _mm512_roundscale_ps(x, 0), f = x - n;
#else
  x = vec_max(x, vec_of(-126.0f));
  Vec shifted = x + ROUNDER, n = shifted - ROUNDER, f = x - n;
#endif
  Vec y = (((((1.535336188e-4f * f + 1.339887440e-3f) * f + 9.618437358e-3f) * f +
             5.550332471e-2f) * f + 2.402264791e-1f) * f + 6.931472029e-1f) * f + 1.0f;
#if defined(NUTSHELL_ISA_AVX512BF16)
  return _mm512_scalef_ps(y, n);
#else
  return y * (Vec)(((IntVec)shifted - (IntVec)vec_of(ROUNDER) + 127) << 23);
#endif
}

/** Sum of the lanes, as a tree: the same order on every run. */
INLINE float vec_sum(Vec x) {
  float lane[LANES];
  memcpy(lane, &x, sizeof lane);
  UNROLL(4)
  for (int n = LANES / 2; n > 0; n /= 2)
    for (int i = 0; i < n; i++) lane[i] += lane[i + n];
  return lane[0];
}

INLINE float vec_top(Vec x) {
  float top = x[0];
  for (int i = 1; i < LANES; i++) top = x[i] > top ? x[i] : top;
  return top;
}

INLINE float load_number(const void* x, long i, int type) {
  return type == BF16 ? bf16_to_f32(((const uint16_t*)x)[i]) : ((const float*)x)[i];
}

INLINE void store_number(void* y, long i, int type, float x) {
  if (type == BF16) ((uint16_t*)y)[i] = f32_to_bf16(x);
  else ((float*)y)[i] = x;
}

INLINE Vec load_lanes(const void* x, long i, int type) {
  if (type != BF16) return *(const VecAt*)((const float*)x + i);
  HalfVec half = *(const HalfVecAt*)((const uint16_t*)x + i);
  return (Vec)(__builtin_convertvector(half, WordVec) << 16);
}

/** LANES numbers to bf16 words, nearest even. */
INLINE HalfVec vec_to_bf16(Vec x) {
#if defined(NUTSHELL_ISA_AVX512BF16)
  return (HalfVec)_mm512_cvtneps_pbh(x);
#else
  WordVec bits = (WordVec)x, nan = (WordVec)((bits & 0x7fffffff) > 0x7f800000);
  WordVec even = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return __builtin_convertvector(((bits >> 16 | 0x40) & nan) | (even & ~nan), HalfVec);
#endif
}

/** What storing as bf16 and loading again makes of LANES numbers. */
INLINE Vec vec_round_bf16(Vec x) {
  return (Vec)(__builtin_convertvector(vec_to_bf16(x), WordVec) << 16);
}

INLINE void store_lanes(void* y, long i, int type, Vec x) {
  if (type == BF16) *(HalfVecAt*)((uint16_t*)y + i) = vec_to_bf16(x);
  else *(VecAt*)((float*)y + i) = x;
}

/** Numbers i..i+LANES of x, zero from the n-th on. */
INLINE Vec load_upto(const void* x, long i, long n, int type) {
  if (n >= LANES) return load_lanes(x, i, type);
  Vec out = {0};
  for (long k = 0; k < n; k++) out[k] = load_number(x, i + k, type);
  return out;
}

/** The first n lanes of x (all, when n >= LANES) to y[i..]. */
INLINE void store_upto(void* y, long i, long n, int type, Vec x) {
  if (n >= LANES) store_lanes(y, i, type, x);
  else
    for (long k = 0; k < n; k++) store_number(y, i + k, type, x[k]);
}

#endif
