/*
 * C = op(A) . op(B), by all workers together; f32 sums, results stored or handed to an epilogue.
 *
 * First the workers pack B, panel by panel, into shared scratch; then they take units of C, a band
 * of rows by a group of panels, until none is left. In a unit the order is
 *
 *     for panel of B, TILE_COLS wide
 *       for run of k, BLOCK_STEPS words deep      a panel's run, 48 x 1024 words, stays in L2
 *         for tile of the band, TILE_ROWS high    the band of A is swept; sums stay in registers
 *
 * A panel comes once per band from L3 and then serves all its tiles from L2, so wide products need
 * no other blocking. Where one band is all of A, a panel serves one unit only: whoever packs it
 * multiplies it at once, from L2, and nothing is shared. The run is long, so sums seldom leave the
 * registers: a depth of one run (2048 numbers in bf16) is written once. A is used in place where its
 * rows are already words (see pack.h); else a unit packs its own band, which needs no barrier and
 * lands in its own L2. Quantised B is unpacked into the same panels; few rows of A read weights
 * where they are.
 */
#ifndef NUTSHELL_GEMM_H
#define NUTSHELL_GEMM_H

#include "quant-vector.h"
#include "thread-pool.h"

/** Receives the finished sums of C[row, col..col+n), n <= 64, and stores what becomes of them. */
typedef void (*Epilogue)(const void* env, long row, long col, int n, const float* acc);

/**
 * Told which segment is next while its sums are being made: __builtin_prefetch what the epilogue
 * will read and write there. Stores that miss the cache otherwise cost up to 12 % at K = 384.
 */
typedef void (*Ahead)(const void* env, long row, long col, int n);

typedef struct {
  long M, N, K;
  const void* a; /* op(A)[m,k] = aTrans ? a[k*lda + m] : a[m*lda + k] */
  long lda;
  int aType, aTrans;
  const void* b; /* op(B)[k,n] = bTrans ? b[n*ldb + k] : b[k*ldb + n] */
  long ldb;
  int bType, bTrans;
  int compute; /* BF16: inputs rounded to nearest even; F32 */
  Epilogue epilogue;
  const void* env;
  float* c; /* without an epilogue: C[m*ldc + n] (+)= */
  long ldc;
  int accumulate;
  Ahead ahead; /* optional, with an epilogue */
  const void* scales; /* of a quantised B, whose words are at b */
} Gemm;

enum { BLOCK_STEPS = 1024, BAND_ROWS = 128, UNITS_PER_THREAD = 8 };

/* How a product is cut; bands and groups are counted in tiles and panels. */
typedef struct {
  long steps, panels;
  long bandRows, bands, groupPanels, groups;
  int packA;
  size_t bBytes; /* shared */
  size_t bandBytes, sumBytes, panelBytes; /* of each worker */
} Plan;

INLINE Source a_source(const Gemm* g) { return (Source){g->a, g->lda, g->aType, !g->aTrans}; }
INLINE Source b_source(const Gemm* g) { return (Source){g->b, g->ldb, g->bType, g->bTrans}; }

INLINE int is_quantised(const Gemm* g) { return g->bType == Q8_0 || g->bType == Q4_0; }
INLINE Quants b_quants(const Gemm* g) { return (Quants){g->b, g->scales, g->K, g->bType}; }

/** Few rows against weights whose rows are contiguous: gemm-vector.h, quant-vector.h. */
INLINE int is_vector(const Gemm* g) {
  return is_quantised(g) ? g->M <= QUANT_MAX_M : g->M <= VECTOR_MAX_M && g->bTrans;
}

/* Rows of A are words as they lie: of the product's own precision, k contiguous, none half full. */
INLINE int plain_a(const Gemm* g) {
  return !g->aTrans && g->aType == g->compute && g->aType == word_type(g->compute) &&
         g->K % per_word(g->compute) == 0;
}

static Plan plan_gemm(const Gemm* g, int nThreads) {
  Plan p = {.steps = steps_of(g->K, g->compute), .panels = round_up(g->N, TILE_COLS) / TILE_COLS};
  long wanted = nThreads == 1 ? 1 : (long)nThreads * UNITS_PER_THREAD;
  p.bandRows = BAND_ROWS;
  p.bands = round_up(g->M, p.bandRows) / p.bandRows;
  p.groups = p.bands >= wanted ? 1 : at_most((wanted + p.bands - 1) / p.bands, p.panels);
  p.groupPanels = (p.panels + p.groups - 1) / p.groups;
  p.groups = (p.panels + p.groupPanels - 1) / p.groupPanels;
  p.packA = !plain_a(g);
  size_t packed = (size_t)round_up((long)columns_words(g->N, g->K, g->compute) * 4, CACHE_LINE);
  p.bBytes = p.bands == 1 ? 0 : packed;
  p.panelBytes = p.bands == 1 ? (size_t)round_up(TILE_COLS * p.steps * 4, CACHE_LINE) : 0;
  p.bandBytes = p.packA ? rows_words(p.bandRows, g->K, g->compute) * 4 : 0;
  p.sumBytes = (size_t)(p.bandRows * TILE_COLS * 4);
  return p;
}

/* One copy of a short x for each worker; more rows are made together, once. */
static size_t quant_x_bytes(const Gemm* g, int nThreads) {
  long copies = g->M <= VECTOR_MAX_M ? nThreads : 1;
  return (size_t)(copies * g->M * (g->K / QUANT_BLOCK)) * sizeof(QuantX);
}

INLINE size_t worker_bytes(const Plan* p) { return p->sumBytes + p->bandBytes + p->panelBytes; }

/** Bytes of 64-byte aligned scratch that gemm(g) needs with this many workers. */
static size_t gemm_scratch_bytes(const Gemm* g, int nThreads) {
  if (is_vector(g) && is_quantised(g)) return quant_x_bytes(g, nThreads);
  if (is_vector(g)) return (size_t)(nThreads * VECTOR_MAX_M * vector_words(g->K, g->compute) * 4);
  Plan p = plan_gemm(g, nThreads);
  return p.bBytes + (size_t)nThreads * worker_bytes(&p);
}

INLINE void finish_row(const Gemm* g, long row, long col, long n, const float* sums) {
  if (g->epilogue) g->epilogue(g->env, row, col, (int)n, sums);
  else copy_row(g->c + row * g->ldc + col, sums, n, g->accumulate);
}

INLINE void prefetch_row(const Gemm* g, long row, long col, long n) {
  if (g->epilogue) {
    if (g->ahead) g->ahead(g->env, row, col, (int)n);
    return;
  }
  for (long i = 0; i < n; i += CACHE_LINE / 4)
    __builtin_prefetch(g->c + row * g->ldc + col + i, 1);
}

/* One panel of one band: all k, all tiles. */
static void run_panel(const Gemm* g, const Plan* p, Rows a, long m0, long rows, long n0,
                      const uint32_t* b, float* sums) {
  long cols = at_most(TILE_COLS, g->N - n0), width = round_up(cols, LANES);
  int direct = !g->epilogue && cols == width;
  for (long s = 0; s < p->steps; s += BLOCK_STEPS) {
    long run = at_most(BLOCK_STEPS, p->steps - s), last = s + run == p->steps;
    Rows at = a;
    at.at += s * a.stepBytes;
    for (long i = 0; i < rows; i += TILE_ROWS, at.at += a.tileBytes) {
      int height = (int)at_most(TILE_ROWS, rows - i);
      float* to = direct ? g->c + (m0 + i) * g->ldc + n0 : sums + (s || !last ? i * TILE_COLS : 0);
      if (last || direct)
        for (int r = 0; r < height; r++) prefetch_row(g, m0 + i + r, n0, cols);
      run_tile(g->compute, height, (int)(width / LANES), at, b + s * width, run, to,
               direct ? g->ldc : TILE_COLS, s || (direct && g->accumulate));
      if (last && !direct)
        for (int r = 0; r < height; r++) finish_row(g, m0 + i + r, n0, cols, to + r * TILE_COLS);
    }
  }
}

/* Rows of A as the tile reads them; `own` is the worker's scratch. */
static Rows band_of(const Gemm* g, const Plan* p, long m0, long rows, char* own) {
  Source band = a_source(g);
  band.src = source_at(&band, m0, 0);
  return p->packA ? pack_rows(&band, rows, g->K, g->compute, (uint32_t*)(own + p->sumBytes))
                  : plain_rows(band.src, g->lda, g->compute);
}

static void run_unit(const Gemm* g, const Plan* p, long unit, const uint32_t* b, char* own) {
  long m0 = unit / p->groups * p->bandRows, rows = at_most(p->bandRows, g->M - m0);
  long first = unit % p->groups * p->groupPanels;
  long end = at_most(first + p->groupPanels, p->panels);
  Rows a = band_of(g, p, m0, rows, own);
  for (long j = first; j < end; j++)
    run_panel(g, p, a, m0, rows, j * TILE_COLS, b + j * TILE_COLS * p->steps, (float*)own);
}

static void gemm_vector(Worker* w, const Gemm* g, void* scratch) {
  Source weights = b_source(g), x = a_source(g);
  long words = vector_words(g->K, g->compute);
  uint32_t* own = (uint32_t*)scratch + w->tid * VECTOR_MAX_M * words;
  for (long m = 0; m < g->M; m++) pack_vector(&x, m, g->K, g->compute, own + m * words);
  for (long j; (j = take(w, round_up(g->N, VECTOR_COLS) / VECTOR_COLS)) >= 0;) {
    long n0 = j * VECTOR_COLS, n = at_most(VECTOR_COLS, g->N - n0);
    float sums[VECTOR_MAX_M][VECTOR_COLS];
    dot_block(&weights, n0, n, g->K, own, g->M, g->compute, sums);
    for (long m = 0; m < g->M; m++) finish_row(g, m, n0, n, sums[m]);
  }
  barrier(w);
}

static QuantX* quantize_rows(Worker* w, const Gemm* g, QuantX* out) {
  Source x = a_source(g);
  long blocks = g->K / QUANT_BLOCK;
  if (g->M <= VECTOR_MAX_M) {
    out += w->tid * g->M * blocks;
    for (long m = 0; m < g->M; m++) quantize_row(&x, m, g->K, g->bType, out + m * blocks);
    return out;
  }
  for (long m; (m = take(w, g->M)) >= 0;)
    quantize_row(&x, m, g->K, g->bType, out + m * blocks);
  barrier(w);
  return out;
}

static void gemm_quant_vector(Worker* w, const Gemm* g, void* scratch) {
  Quants weights = b_quants(g);
  const QuantX* x = quantize_rows(w, g, scratch);
  long blocks = g->K / QUANT_BLOCK;
  for (long j; (j = take(w, round_up(g->N, VECTOR_COLS) / VECTOR_COLS)) >= 0;) {
    long n0 = j * VECTOR_COLS, n = at_most(VECTOR_COLS, g->N - n0);
    for (long m0 = 0; m0 < g->M; m0 += QUANT_ROWS) {
      float sums[QUANT_ROWS][VECTOR_COLS];
      long rows = at_most(QUANT_ROWS, g->M - m0);
      QUANT_DOTS[g->bType == Q4_0][rows - 1](&weights, n0, n, x + m0 * blocks, sums);
      for (long m = 0; m < rows; m++) finish_row(g, m0 + m, n0, n, sums[m]);
    }
  }
  barrier(w);
}

static void pack_b_panel(const Gemm* g, long n0, uint32_t* out) {
  if (is_quantised(g)) {
    Quants weights = b_quants(g);
    unpack_column_panel(&weights, g->N, g->compute, n0, out);
    return;
  }
  Source b = b_source(g);
  pack_column_panel(&b, g->N, g->K, g->compute, n0, out);
}

/* All of A is one band. */
static void run_band(Worker* w, const Gemm* g, const Plan* p, char* own) {
  uint32_t* panel = (uint32_t*)(own + p->sumBytes + p->bandBytes);
  Rows a = band_of(g, p, 0, g->M, own);
  for (long j; (j = take(w, p->panels)) >= 0;) {
    pack_b_panel(g, j * TILE_COLS, panel);
    run_panel(g, p, a, 0, g->M, j * TILE_COLS, panel, (float*)own);
  }
  barrier(w);
}

/** The product; called by all workers of a team with the same arguments. Ends with a barrier. */
static void gemm(Worker* w, const Gemm* g, void* scratch) {
  if (is_vector(g)) {
    if (is_quantised(g)) gemm_quant_vector(w, g, scratch);
    else gemm_vector(w, g, scratch);
    return;
  }
  Plan p = plan_gemm(g, w->nThreads);
  char* own = (char*)scratch + p.bBytes + (size_t)w->tid * worker_bytes(&p);
  if (p.bands == 1) {
    run_band(w, g, &p, own);
    return;
  }
  for (long j; (j = take(w, p.panels)) >= 0;)
    pack_b_panel(g, j * TILE_COLS, (uint32_t*)scratch + j * TILE_COLS * p.steps);
  barrier(w);
  for (long u; (u = take(w, p.bands * p.groups)) >= 0;) run_unit(g, &p, u, scratch, own);
  barrier(w);
}

#endif
