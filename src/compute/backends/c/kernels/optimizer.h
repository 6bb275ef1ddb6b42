/*
 * AdamW in place, one pass over parameter, gradient and moments: seven streams, so memory sets the
 * pace. The betas come in double because 1 - beta would lose half its digits in f32.
 */
#ifndef NUTSHELL_OPTIMIZER_H
#define NUTSHELL_OPTIMIZER_H

#include "thread-pool.h"
#include "vector-math.h"

enum { STEP_NUMBERS = 8192 };

typedef struct {
  float beta1, other1, beta2, other2, gradScale, correction1, correction2, eps, rate, decay;
} AdamStep;

KERNEL void adam_run(long n, const AdamStep* s, float* restrict p, const float* restrict g,
                     float* restrict m, float* restrict v) {
  const AdamStep k = *s;
  for (long i = 0; i < n; i++) {
    float gradient = g[i] * k.gradScale;
    float first = k.beta1 * m[i] + k.other1 * gradient;
    float second = k.beta2 * v[i] + k.other2 * gradient * gradient;
    float update = first * k.correction1 / (sqrtf(second * k.correction2) + k.eps);
    m[i] = first;
    v[i] = second;
    p[i] -= k.rate * (update + k.decay * p[i]);
  }
}

/**
 * @param scalars [learning rate, gradient scale, 1 - beta1^t, 1 - beta2^t, apply]; apply = 0
 *                leaves everything as it is
 */
void adamw(Worker* w, long n, float* p, const float* g, float* m, float* v, const float* scalars,
           double beta1, double beta2, float eps, float weightDecay, float lrScale) {
  if (scalars[4] == 0) {
    barrier(w);
    return;
  }
  AdamStep s = {(float)beta1, (float)(1 - beta1), (float)beta2, (float)(1 - beta2), scalars[1],
                1 / scalars[2], 1 / scalars[3], eps, scalars[0] * lrScale, weightDecay};
  for (long i; (i = take(w, (n + STEP_NUMBERS - 1) / STEP_NUMBERS)) >= 0;) {
    long from = i * STEP_NUMBERS, count = n - from < STEP_NUMBERS ? n - from : STEP_NUMBERS;
    adam_run(count, &s, p + from, g + from, m + from, v + from);
  }
  barrier(w);
}

#endif
