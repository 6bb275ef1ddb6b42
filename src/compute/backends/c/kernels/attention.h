/*
 * Causal scaled dot-product attention with grouped keys and an optional window: q [B, T, H, D],
 * k and v [P, G, K, D] in pages (places.h), or one page a text: [B, S, K, D]; S = M * G. Query t of
 * text b stands at position first + t, where `first` may be the text's own, and sees keys j with
 * position - window < j <= position, up to its first missing page. bf16 operands give bf16
 * products; softmax and sums are f32.
 */
#ifndef NUTSHELL_ATTENTION_H
#define NUTSHELL_ATTENTION_H

#include "attention-backward.h"
#include "attention-forward.h"
#include "attention-vector.h"

static Attention sizes_only(long B, long T, long S, long H, long K, long D, int type) {
  return attention_of(B, T, S, H, K, D, 0, NULL, NULL, NULL, type, (Places){0});
}

size_t attention_scratch(long B, long T, long S, long H, long K, long D, int type, int nThreads) {
  Attention a = sizes_only(B, T, S, H, K, D, type);
  if (T <= FEW_QUERIES) return few_room(&a, nThreads, NULL).bytes;
  return (size_t)nThreads * forward_room(&a, NULL).bytes;
}

/**
 * o [B, T, H, D] and lse [B, H, T], the log of each query's sum of exponentials; both 0 where a
 * query sees no key. window 0: none.
 */
void attention(Worker* w, long B, long T, long S, long H, long K, long D, long window,
               const void* q, const void* k, const void* v, int type, Places places,
               void* o, float* lse, void* scratch) {
  Attention a = attention_of(B, T, S, H, K, D, window, q, k, v, type, places);
  if (T <= FEW_QUERIES) attend_few(w, &a, o, lse, scratch);
  else forward_tiled(w, &a, o, lse, scratch);
}

size_t attention_grad_scratch(long B, long T, long S, long H, long K, long D, int type,
                              int nThreads) {
  Attention a = sizes_only(B, T, S, H, K, D, type);
  return (size_t)nThreads * backward_room(&a, NULL).bytes;
}

/** dq, dk and dv, stored like their operands, given the forward pass's o and lse. */
void attention_grad(Worker* w, long B, long T, long S, long H, long K, long D, long window,
                    const void* q, const void* k, const void* v, int type, const void* o,
                    const float* lse, const void* dy, Places places, void* dq, void* dk,
                    void* dv, void* scratch) {
  Attention a = attention_of(B, T, S, H, K, D, window, q, k, v, type, places);
  Backward g = {o, dy, lse, dq, dk, dv};
  size_t bytes = backward_room(&a, NULL).bytes;
  BackwardRoom room = backward_room(&a, (char*)scratch + (size_t)w->tid * bytes);
  for (long i; (i = take(w, B * K)) >= 0;) backward_head(&a, &g, &room, i / K, i % K);
  barrier(w);
}

#endif
