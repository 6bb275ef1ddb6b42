/*
 * A language model in one file of C: text in, text out, nothing but libc and libm.
 *
 *     cc -O3 -march=native -o run model.c -lm          (-fopenmp: all cores)
 *     ./run weights.bin "Once upon a time" -n 100 -t 0.8
 *
 * The network is a Llama: RMSNorm, rotary positions, grouped-query attention, SwiGLU; with gains
 * on queries and keys it is a Qwen3. The tokenizer is a byte-level BPE. All sizes, the vocabulary,
 * Unicode's character classes and the weights come from weights.bin, so that this file runs every
 * exported model. It reads from top to bottom: file, tokenizer, network, sampler, main.
 *
 * weights.bin, little-endian, every part padded to 4 bytes:
 *     "NUTC", i32 version, the 26 numbers of struct Header
 *     u32 pairs, first and last code point, of letters, numbers, white space
 *     256 x i32           the token of each byte
 *     merges x 3 x i32    left, right, result, the first to apply first
 *     tokens x i32, then all their bytes       lengths; a special token has its name
 *     tokens x u8         1 for a special token
 *     the tensors, in the order in which read_weights takes them
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the file -------------------------------------------------------------------------------- */

enum { F32 = 0, BF16 = 1, Q8_0 = 2 };

typedef struct {
    int32_t format;                    /* of matrices and tables; gains are f32 */
    int32_t layers, heads, kv_heads, width, head_dim, ffn, vocab, context;
    int32_t window;                    /* keys that a query sees; 0 = all */
    int32_t qk_norm, tied;
    float rope_base, norm_eps;
    int32_t family, contractions, digits, whole_pieces;          /* how text is cut: see cut() */
    int32_t tokens, merges, bos, eos;                            /* -1: none */
    int32_t letters, numbers, spaces;                            /* ranges of code points */
    int32_t longest;                                             /* token, in bytes */
} Header;

typedef struct {                       /* [out, in] in the file's format */
    const uint8_t *data;
    int out, in;
} Matrix;

typedef struct {
    const float *attn_norm, *q_norm, *k_norm, *ffn_norm;
    Matrix q, k, v, o, gate, up, down;
} Layer;

static Header H;
static Layer *layers;
static Matrix embedding, head;
static const float *last_norm;

static const uint8_t *cursor, *file_end;

static void fail(const char *what, const char *detail) {
    fprintf(stderr, "run: %s%s\n", what, detail);
    exit(1);
}

static void *allocate(size_t bytes) {
    void *memory = calloc(bytes ? bytes : 1, 1);
    if (!memory) fail("out of memory", "");
    return memory;
}

/* The next `bytes` of the file. */
static const void *take(size_t bytes) {
    const uint8_t *at = cursor;
    if (bytes > (size_t)(file_end - cursor)) fail("the weights file is cut", "");
    cursor += (bytes + 3) / 4 * 4;
    if (cursor > file_end) cursor = file_end;
    return at;
}

static void read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail("cannot read ", path);
    long size = ftell(file);
    rewind(file);
    uint8_t *bytes = allocate((size_t)size);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size) fail("cannot read ", path);
    fclose(file);
    cursor = bytes;
    file_end = bytes + size;
    if (size < 8 || memcmp(take(4), "NUTC", 4)) fail("not a weights file: ", path);
    if (*(const int32_t *)take(4) != 1) fail("a weights file of another version: ", path);
    memcpy(&H, take(sizeof H), sizeof H);
}

/* ---- the tokenizer --------------------------------------------------------------------------- */

enum { OTHER = 0, LETTER, NUMBER, SPACE, NEWLINE };

static uint8_t class_of[0x110000];
static const int32_t *byte_ids, *merges;
static const uint8_t **token_bytes, *is_special;
static const int32_t *token_length;

static void classify(int ranges, int kind) {
    const uint32_t *pairs = take((size_t)ranges * 8);
    for (int i = 0; i < ranges; i++)
        for (uint32_t c = pairs[2 * i]; c <= pairs[2 * i + 1]; c++) class_of[c] = (uint8_t)kind;
}

/* A hash table of pairs of tokens: which merge they are. Open addressing, half empty at least. */
static int32_t *pair_table;
static uint32_t pair_mask;

static uint32_t pair_slot(int left, int right) {
    uint32_t at = ((uint32_t)left * 0x9e3779b1u ^ (uint32_t)right * 0x85ebca6bu) & pair_mask;
    for (;; at = (at + 1) & pair_mask) {
        int32_t merge = pair_table[at];
        if (merge < 0) return at;
        if (merges[3 * merge] == left && merges[3 * merge + 1] == right) return at;
    }
}

static void read_tokenizer(void) {
    classify(H.letters, LETTER);
    classify(H.numbers, NUMBER);
    classify(H.spaces, SPACE);
    class_of['\n'] = class_of['\r'] = NEWLINE;
    byte_ids = take(256 * 4);
    merges = take((size_t)H.merges * 12);
    token_length = take((size_t)H.tokens * 4);
    size_t all = 0;
    for (int i = 0; i < H.tokens; i++) all += (size_t)token_length[i];
    const uint8_t *bytes = take(all);
    token_bytes = allocate((size_t)H.tokens * sizeof *token_bytes);
    for (int i = 0; i < H.tokens; bytes += token_length[i++]) token_bytes[i] = bytes;
    is_special = take((size_t)H.tokens);

    for (pair_mask = 1; pair_mask < 2u * (uint32_t)H.merges + 2; pair_mask *= 2) {}
    pair_table = allocate(pair_mask * sizeof *pair_table);
    memset(pair_table, 0xff, pair_mask * sizeof *pair_table);
    pair_mask--;
    for (int i = 0; i < H.merges; i++) {
        uint32_t slot = pair_slot(merges[3 * i], merges[3 * i + 1]);
        if (pair_table[slot] < 0) pair_table[slot] = i;
    }
}

/* Class and length in bytes of the character at `at`; a byte that begins none is OTHER. */
static int character(const uint8_t *s, int at, int end, int *length) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = s[at];
    *length = 1;
    if (lead < 0x80) return class_of[lead];
    int n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || at + n > end) return OTHER;
    uint32_t c = lead & (0x7fu >> n);
    for (int i = 1; i < n; i++) {
        if ((s[at + i] & 0xc0) != 0x80) return OTHER;
        c = c << 6 | (s[at + i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return OTHER;
    *length = n;
    return class_of[c];
}

static int run_end(const uint8_t *s, int at, int end, int kind) {
    for (int length; at < end && character(s, at, end, &length) == kind;) at += length;
    return at;
}

/* Bytes of s, d, m, t, ll, ve, re after an apostrophe, or 0. contractions: 0 lower case, 1 any
 * ASCII case, 2 any case of Unicode, in which a long s is an s. */
static int contraction(const uint8_t *s, int at, int end) {
    int fold = H.contractions ? 0x20 : 0;
    if (at >= end) return 0;
    int a = s[at] | fold;
    if (a == 's' || a == 'd' || a == 'm' || a == 't') return 1;
    if (at + 1 >= end) return 0;
    int b = s[at + 1] | fold;
    if ((a == 'l' && b == 'l') || ((a == 'v' || a == 'r') && b == 'e')) return 2;
    return H.contractions == 2 && s[at] == 0xc5 && s[at + 1] == 0xbf ? 2 : 0;
}

/* White space: up to its last line break, where those count; else all of it but the last
 * character, which the word behind takes along. */
static int space_end(const uint8_t *s, int start, int end, int lines) {
    int at = start, last = start, line = start;
    for (int length; at < end; at += length) {
        int kind = character(s, at, end, &length);
        if (kind != SPACE && kind != NEWLINE) break;
        last = at;
        if (kind == NEWLINE) line = at + length;
    }
    if (lines && line > start) return line;
    return at == end || last == start ? at : last;
}

/*
 * End of the piece of text that begins at `start`; no token reaches over it.
 * family 0, GPT-2:  's|…| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * family 1, GPT-4:  's|…|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*
 *                   |\s*[\r\n]+|\s+(?!\S)|\s+
 */
static int cut(const uint8_t *s, int start, int end) {
    int length, next_length;
    if (s[start] == '\'') {
        int n = contraction(s, start + 1, end);
        if (n) return start + 1 + n;
    }
    if (H.family == 0) {
        int at = s[start] == ' ' && start + 1 < end ? start + 1 : start;
        int kind = character(s, at, end, &length);
        if (kind == SPACE || kind == NEWLINE) return space_end(s, start, end, 0);
        return run_end(s, at + length, end, kind);
    }
    int kind = character(s, start, end, &length), second = start + length;
    if (kind == LETTER) return run_end(s, second, end, LETTER);
    if (kind == NUMBER) {
        for (int left = H.digits - 1; left > 0 && second < end; left--, second += length)
            if (character(s, second, end, &length) != NUMBER) break;
        return second;
    }
    if (kind == NEWLINE) return space_end(s, start, end, 1);
    if (second >= end) return kind == OTHER ? second : space_end(s, start, end, 1);
    int next = character(s, second, end, &next_length);
    if (next == LETTER) return run_end(s, second + next_length, end, LETTER);
    if (kind == OTHER || (s[start] == ' ' && next == OTHER)) {
        int at = next == OTHER ? run_end(s, second + next_length, end, OTHER) : second;
        while (at < end && (s[at] == '\n' || s[at] == '\r')) at++;
        return at;
    }
    return space_end(s, start, end, 1);
}

/* The bytes of one piece, merged pair by pair, the earliest merge first. @returns tokens written */
static int merge_piece(const uint8_t *s, int length, int *ids) {
    if (H.whole_pieces && length <= H.longest)
        for (int i = 0; i < H.tokens; i++)
            if (token_length[i] == length && !is_special[i] &&
                !memcmp(token_bytes[i], s, (size_t)length))
                return ids[0] = i, 1;
    for (int i = 0; i < length; i++) ids[i] = byte_ids[s[i]];
    for (;;) {
        int best = -1, at = 0;
        for (int i = 0; i + 1 < length; i++) {
            int merge = pair_table[pair_slot(ids[i], ids[i + 1])];
            if (merge >= 0 && (best < 0 || merge < best)) best = merge, at = i;
        }
        if (best < 0) return length;
        ids[at] = merges[3 * best + 2];
        length--;
        memmove(ids + at + 1, ids + at + 2, (size_t)(length - at - 1) * sizeof *ids);
    }
}

static int encode_text(const uint8_t *s, int length, int *ids) {
    int count = 0;
    for (int at = 0; at < length;) {
        int next = cut(s, at, length);
        count += merge_piece(s + at, next - at, ids + count);
        at = next;
    }
    return count;
}

/* The longest special token whose name stands here, or -1. */
static int special_at(const uint8_t *s, int left) {
    int found = -1;
    for (int i = 0; i < H.tokens; i++)
        if (is_special[i] && token_length[i] > 0 && token_length[i] <= left &&
            (found < 0 || token_length[i] > token_length[found]) &&
            !memcmp(s, token_bytes[i], (size_t)token_length[i]))
            found = i;
    return found;
}

/* @param specials read names such as <|bos|> as the tokens they name */
static int encode(const char *text, int specials, int *ids) {
    const uint8_t *s = (const uint8_t *)text;
    int length = (int)strlen(text), count = 0, from = 0;
    if (H.bos >= 0) ids[count++] = H.bos;
    for (int at = 0; specials && at < length; at++) {
        int id = special_at(s + at, length - at);
        if (id < 0) continue;
        count += encode_text(s + from, at - from, ids + count);
        ids[count++] = id;
        from = at + token_length[id];
        at = from - 1;
    }
    return count + encode_text(s + from, length - from, ids + count);
}

/* ---- the network ----------------------------------------------------------------------------- */

static size_t row_bytes(int in) {
    size_t n = (size_t)in;
    return H.format == F32 ? n * 4 : H.format == BF16 ? n * 2 : n / 32 * 34;
}

static Matrix take_matrix(int out, int in) {
    Matrix m = {take((size_t)out * row_bytes(in)), out, in};
    return m;
}

static const float *take_gain(int size) { return take((size_t)size * 4); }

static void read_weights(void) {
    int q = H.heads * H.head_dim, kv = H.kv_heads * H.head_dim;
    embedding = take_matrix(H.vocab, H.width);
    layers = allocate((size_t)H.layers * sizeof *layers);
    for (Layer *l = layers; l < layers + H.layers; l++) {
        l->attn_norm = take_gain(H.width);
        l->q = take_matrix(q, H.width);
        l->k = take_matrix(kv, H.width);
        l->v = take_matrix(kv, H.width);
        if (H.qk_norm) l->q_norm = take_gain(H.head_dim), l->k_norm = take_gain(H.head_dim);
        l->o = take_matrix(H.width, q);
        l->ffn_norm = take_gain(H.width);
        l->gate = take_matrix(H.ffn, H.width);
        l->up = take_matrix(H.ffn, H.width);
        l->down = take_matrix(H.width, H.ffn);
    }
    last_norm = take_gain(H.width);
    head = H.tied ? embedding : take_matrix(H.vocab, H.width);
}

/* The f16 before a block of Q8_0: exponent and fraction moved to where f32 has them; the factor
 * makes up for the other bias. */
static float block_scale(const uint8_t *block) {
    uint32_t half = block[0] | (uint32_t)block[1] << 8, bits = (half & 0x7fffu) << 13;
    float size;
    memcpy(&size, &bits, 4);
    return half & 0x8000 ? size * -0x1p112f : size * 0x1p112f;
}

static float from_bf16(uint16_t b) {
    uint32_t bits = (uint32_t)b << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/* 32 sums side by side: a compiler may not reorder one sum, but does turn these into vectors. */
enum { LANES = 32 };

static float add_lanes(const float *sum) {
    float total = 0;
    for (int j = 0; j < LANES; j++) total += sum[j];
    return total;
}

static float dot_f32(const float *a, const float *b, int n) {
    float sum[LANES] = {0}, rest = 0;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) sum[j] += a[i + j] * b[i + j];
    for (; i < n; i++) rest += a[i] * b[i];
    return add_lanes(sum) + rest;
}

static float dot_bf16(const uint16_t *a, const float *b, int n) {
    float sum[LANES] = {0}, rest = 0;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) sum[j] += from_bf16(a[i + j]) * b[i + j];
    for (; i < n; i++) rest += from_bf16(a[i]) * b[i];
    return add_lanes(sum) + rest;
}

/* Blocks of an f16 scale and 32 signed bytes. */
static float dot_q8(const uint8_t *a, const float *b, int n) {
    float sum[LANES] = {0};
    for (int i = 0; i < n; i += LANES, a += 34) {
        const int8_t *q = (const int8_t *)(a + 2);
        float scale = block_scale(a);
        for (int j = 0; j < LANES; j++) sum[j] += scale * (float)q[j] * b[i + j];
    }
    return add_lanes(sum);
}

/* y[out] = m[out, in] x[in] */
static void product(float *y, Matrix m, const float *x) {
    size_t step = row_bytes(m.in);
#ifdef _OPENMP
#pragma omp parallel for
#endif
    for (int i = 0; i < m.out; i++) {
        const uint8_t *row = m.data + (size_t)i * step;
        y[i] = H.format == F32    ? dot_f32((const float *)row, x, m.in)
               : H.format == BF16 ? dot_bf16((const uint16_t *)row, x, m.in)
                                  : dot_q8(row, x, m.in);
    }
}

static void embed(float *x, int id) {
    const uint8_t *row = embedding.data + (size_t)id * row_bytes(H.width);
    for (int i = 0; i < H.width; i++)
        if (H.format == F32) x[i] = ((const float *)row)[i];
        else if (H.format == BF16) x[i] = from_bf16(((const uint16_t *)row)[i]);
        else {
            const uint8_t *block = row + i / 32 * 34;
            x[i] = block_scale(block) * (float)(int8_t)block[2 + i % 32];
        }
}

static void rms_norm(float *y, const float *x, const float *gain, int n) {
    float scale = 1 / sqrtf(dot_f32(x, x, n) / (float)n + H.norm_eps);
    for (int i = 0; i < n; i++) y[i] = x[i] * scale * gain[i];
}

/* Every head's dimension d turns with d + D/2 by position / base^(2d / D). */
static void rotate(float *x, int heads, const float *cosine, const float *sine) {
    int half = H.head_dim / 2;
    for (int h = 0; h < heads; h++, x += H.head_dim)
        for (int d = 0; d < half; d++) {
            float u = x[d], v = x[d + half];
            x[d] = u * cosine[d] - v * sine[d];
            x[d + half] = v * cosine[d] + u * sine[d];
        }
}

/* Keys and values of all tokens so far, [layer][position][kv head][head dim], and one token's
 * activations. */
static float *keys, *values, *x, *normed, *q, *mixed, *gate, *up, *scores, *logits, *cosine, *sine;

static void allocate_state(int context) {
    size_t kv = (size_t)H.layers * (size_t)context * (size_t)(H.kv_heads * H.head_dim);
    size_t q_size = (size_t)(H.heads * H.head_dim);
    keys = allocate(kv * 4), values = allocate(kv * 4);
    x = allocate((size_t)H.width * 4), normed = allocate((size_t)H.width * 4);
    q = allocate(q_size * 4), mixed = allocate(q_size * 4);
    gate = allocate((size_t)H.ffn * 4), up = allocate((size_t)H.ffn * 4);
    scores = allocate((size_t)H.heads * (size_t)context * 4);
    logits = allocate((size_t)H.vocab * 4);
    cosine = allocate((size_t)H.head_dim * 2), sine = allocate((size_t)H.head_dim * 2);
}

/* Each head's mean of the values, weighed by softmax(q · k / sqrt(D)). */
static void attend(const float *k, const float *v, int position, int context) {
    int D = H.head_dim, stride = H.kv_heads * D;
    int first = H.window && position >= H.window ? position - H.window + 1 : 0;
#ifdef _OPENMP
#pragma omp parallel for
#endif
    for (int h = 0; h < H.heads; h++) {
        int offset = h / (H.heads / H.kv_heads) * D;
        float *score = scores + (size_t)h * (size_t)context, *out = mixed + h * D;
        float largest = -INFINITY, sum = 0;
        for (int t = first; t <= position; t++) {
            const float *key = k + (size_t)t * (size_t)stride + offset;
            score[t] = dot_f32(q + h * D, key, D) / sqrtf((float)D);
            if (score[t] > largest) largest = score[t];
        }
        memset(out, 0, (size_t)D * 4);
        for (int t = first; t <= position; t++) {
            float weight = expf(score[t] - largest);
            const float *value = v + (size_t)t * (size_t)stride + offset;
            sum += weight;
            for (int d = 0; d < D; d++) out[d] += weight * value[d];
        }
        for (int d = 0; d < D; d++) out[d] /= sum;
    }
}

/* Takes one token at `position`; afterwards `logits` say what follows, if they are wanted. */
static void forward(int id, int position, int context, int wanted) {
    int D = H.head_dim, kv = H.kv_heads * D;
    for (int d = 0; d < D / 2; d++) {
        double angle = position * pow(H.rope_base, -2.0 * d / D);
        cosine[d] = (float)cos(angle), sine[d] = (float)sin(angle);
    }
    embed(x, id);
    for (int l = 0; l < H.layers; l++) {
        const Layer *layer = &layers[l];
        float *all_keys = keys + (size_t)l * (size_t)context * (size_t)kv;
        float *all_values = values + (size_t)l * (size_t)context * (size_t)kv;
        float *k = all_keys + (size_t)position * (size_t)kv;
        float *v = all_values + (size_t)position * (size_t)kv;
        rms_norm(normed, x, layer->attn_norm, H.width);
        product(q, layer->q, normed);
        product(k, layer->k, normed);
        product(v, layer->v, normed);
        if (H.qk_norm) {
            for (int h = 0; h < H.heads; h++) rms_norm(q + h * D, q + h * D, layer->q_norm, D);
            for (int h = 0; h < H.kv_heads; h++) rms_norm(k + h * D, k + h * D, layer->k_norm, D);
        }
        rotate(q, H.heads, cosine, sine);
        rotate(k, H.kv_heads, cosine, sine);
        attend(all_keys, all_values, position, context);
        product(normed, layer->o, mixed);
        for (int i = 0; i < H.width; i++) x[i] += normed[i];
        rms_norm(normed, x, layer->ffn_norm, H.width);
        product(gate, layer->gate, normed);
        product(up, layer->up, normed);
        for (int i = 0; i < H.ffn; i++) gate[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
        product(normed, layer->down, gate);
        for (int i = 0; i < H.width; i++) x[i] += normed[i];
    }
    if (!wanted) return;
    rms_norm(normed, x, last_norm, H.width);
    product(logits, head, normed);
}

/* ---- the sampler ----------------------------------------------------------------------------- */

static uint64_t random_state;

static double uniform(void) {         /* in [0, 1); xorshift64* */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (double)(random_state * 0x2545f4914f6cdd1dull >> 11) / 9007199254740992.0;
}

/* The likeliest token at temperature 0, else one drawn from softmax(logits / temperature). */
static int sample(double temperature) {
    int best = 0;
    for (int i = 1; i < H.tokens; i++)
        if (logits[i] > logits[best]) best = i;
    if (temperature <= 0) return best;
    double sum = 0;
    for (int i = 0; i < H.tokens; i++) sum += exp((logits[i] - logits[best]) / temperature);
    double left = uniform() * sum;
    for (int i = 0; i < H.tokens; i++)
        if ((left -= exp((logits[i] - logits[best]) / temperature)) < 0) return i;
    return best;
}

/* ---- main ------------------------------------------------------------------------------------ */

static const char *USAGE =
    "usage: run WEIGHTS [PROMPT] [-n TOKENS] [-t TEMPERATURE] [-s SEED] [-x] [-i]\n"
    "  -n  new tokens at most; 256\n"
    "  -t  0 takes the likeliest token each time; 0.8\n"
    "  -s  same seed, same text; the clock\n"
    "  -x  read names of special tokens in the prompt, such as <|user_start|>\n"
    "  -i  print token ids: the prompt's on one line, the new ones on the next\n";

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv) {
    const char *words[2] = {NULL, ""};
    double temperature = 0.8;
    int most = 256, specials = 0, print_ids = 0, count = 0;
    random_state = (uint64_t)time(NULL);
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i];
        if (!strcmp(flag, "-x")) specials = 1;
        else if (!strcmp(flag, "-i")) print_ids = 1;
        else if (flag[0] == '-' && flag[1] && strchr("nts", flag[1]) && !flag[2] && i + 1 < argc) {
            const char *value = argv[++i];
            char *rest = NULL;
            if (flag[1] == 'n') most = (int)strtol(value, &rest, 10);
            else if (flag[1] == 't') temperature = strtod(value, &rest);
            else random_state = strtoull(value, &rest, 10);
            if (rest == value || *rest) fail("a flag needs a number, got ", value);
        } else if (count < 2 && (flag[0] != '-' || count == 1)) words[count++] = flag;
        else fail(USAGE, "");
    }
    if (!words[0]) fail(USAGE, "");
    random_state = random_state * 0x9e3779b97f4a7c15ull + 1;
    read_file(words[0]);
    read_tokenizer();
    read_weights();

    int *ids = allocate((strlen(words[1]) + 2) * sizeof *ids);
    int prompt = encode(words[1], specials, ids);
    if (prompt == 0) fail("the prompt must hold a character", "");
    if (prompt >= H.context) fail("the prompt fills the model's context", "");
    int room = H.context - prompt; /* most may be any number */
    int end = prompt + (most < 0 ? 0 : most < room ? most : room);
    allocate_state(end);
    for (int i = 0; print_ids && i < prompt; i++)
        printf("%d%c", ids[i], i + 1 < prompt ? ' ' : '\n');

    for (int i = 0; i < prompt && most > 0; i++) forward(ids[i], i, end, i + 1 == prompt);
    double start = seconds();
    int position = prompt;
    for (; position < end; position++) {
        int id = sample(temperature);
        if (id == H.bos || id == H.eos) break;
        if (print_ids) printf("%d ", id);
        else if (!is_special[id]) fwrite(token_bytes[id], 1, (size_t)token_length[id], stdout);
        fflush(stdout);
        if (position + 1 < end) forward(id, position, end, 1);
    }
    printf("\n");
    double took = seconds() - start;
    if (position > prompt + 1)
        fprintf(stderr, "%d tokens, %.1f/s\n", position - prompt, (position - prompt) / took);
    return 0;
}
