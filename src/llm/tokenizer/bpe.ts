/**
 * Byte-level byte-pair encoding: text → pre-tokens (split pattern) → UTF-8 bytes → merges.
 * Pre-tokens seen before come from a bounded table, which makes ordinary text fast.
 * Sennrich et al. 2016 (BPE); Radford et al. 2019 (on bytes).
 */

import { IdBuffer } from "./id-buffer.ts";
import { createPieceMerger } from "./merge-piece.ts";
import { createPairTable, type PairTable } from "./pair-table.ts";
import { PieceTable } from "./piece-table.ts";
import { createSplitter, type VisitPiece } from "./splitter.ts";
import { packTokens, type TokenBytes } from "./token-bytes.ts";
import { createTokenizer, type Encoder, type Tokenizer, type Vocabulary } from "./tokenizer.ts";

/** One merge: the tokens `left` and `right` become `token`. Several merges may make one token. */
export type Merge = readonly [left: number, right: number, token: number];

export interface BpeVocabulary extends Vocabulary {
  /** Id of the single-byte token for each byte value, 256 of them. */
  readonly byteIds: readonly number[];
  readonly merges: readonly Merge[];
  /**
   * Which of several possible merges comes first: the one earlier in `merges` ("listed", the
   * default), or the one whose token has the smaller id ("token-id", tiktoken's rule, where all
   * pairs that spell one token are equal). Leftmost among equals in both.
   */
  readonly mergeOrder?: "listed" | "token-id";
  /** A pre-token that is itself a token is not merged (tiktoken; Hugging Face `ignore_merges`). */
  readonly wholePieces?: boolean;
  /** Unicode form that text is brought into first (Qwen's); then bytes in need not be bytes out. */
  readonly normalForm?: "NFC";
  /** Split pattern, in the dialect of `pattern.ts`. */
  readonly pattern: string;
}

export interface BpeTokenizer extends Tokenizer {
  readonly kind: "bpe";
  readonly vocabulary: BpeVocabulary;
}

/** @throws TOKENIZER when the pattern is not valid */
export function createBpeTokenizer(vocabulary: BpeVocabulary): BpeTokenizer {
  const encoder = createBpeEncoder(compileBpe(vocabulary));
  return { kind: "bpe", vocabulary, ...createTokenizer(vocabulary, encoder) };
}

/** What encoding needs of a vocabulary, in typed arrays: cheap to hand to another thread. */
export interface CompiledBpe {
  readonly pattern: string;
  readonly normalForm: "NFC" | undefined;
  readonly byteIds: Int32Array;
  readonly pairs: PairTable;
  /** Tokens that are not merged when they are a whole pre-token, by id. */
  readonly whole: TokenBytes;
}

export function compileBpe(vocabulary: BpeVocabulary): CompiledBpe {
  const { pattern, normalForm, byteIds, merges, mergeOrder, tokens, wholePieces } = vocabulary;
  return {
    pattern,
    normalForm,
    byteIds: Int32Array.from(byteIds),
    pairs: createPairTable(merges, mergeOrder !== "token-id", tokens.length),
    whole: packTokens(wholePieces ? tokens : []),
  };
}

/** Pre-tokens with more bytes are rare and would fill the table. */
const KNOWN_LENGTH = 64;
const KNOWN_PIECES = 1 << 18;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** @throws TOKENIZER when the pattern is not valid */
export function createBpeEncoder(compiled: CompiledBpe): Encoder {
  const { normalForm } = compiled;
  const splitter = createSplitter(compiled.pattern);
  const merge = createPieceMerger(compiled.byteIds, compiled.pairs);
  const whole = compiled.whole;
  const findLength = Math.max(KNOWN_LENGTH, longestToken(whole));
  // A single id is stored as id + 1; a list as the negated place in `lists` of its length.
  const known = new PieceTable();
  const lists = new IdBuffer();
  let out = new IdBuffer();

  function forgetPieces(): void {
    known.clear();
    lists.length = 1;
    for (let id = 0; id + 1 < whole.starts.length; id++) {
      const [start, end] = [whole.starts[id] as number, whole.starts[id + 1] as number];
      if (end > start) known.add(whole.bytes, start, end, id + 1);
    }
  }

  function remember(bytes: Uint8Array, start: number, end: number, from: number): void {
    if (known.size >= KNOWN_PIECES + whole.starts.length) forgetPieces();
    const count = out.length - from;
    known.add(bytes, start, end, count === 1 ? (out.ids[from] as number) + 1 : -lists.length);
    if (count === 1) return;
    lists.push(count);
    for (let at = from; at < out.length; at++) lists.push(out.ids[at] as number);
  }

  const visit: VisitPiece = (bytes, start, end) => {
    const value = end - start <= findLength ? known.find(bytes, start, end) : 0;
    if (value > 0) out.push(value - 1);
    else if (value < 0) copyList(lists.ids, -value, out);
    else {
      const from = out.length;
      merge(bytes, start, end, out);
      if (end - start <= KNOWN_LENGTH) remember(bytes, start, end, from);
    }
  };

  forgetPieces();
  return {
    encodeText(text, ids) {
      out = ids;
      splitter.ofText(normalForm === undefined ? text : text.normalize(normalForm), visit);
    },
    encodeUtf8(bytes, ids) {
      if (normalForm !== undefined) return this.encodeText(utf8.decode(bytes), ids);
      out = ids;
      splitter.ofUtf8(bytes, visit);
    },
  };
}

function longestToken({ starts }: TokenBytes): number {
  let longest = 0;
  for (let id = 0; id + 1 < starts.length; id++) {
    longest = Math.max(longest, (starts[id + 1] as number) - (starts[id] as number));
  }
  return longest;
}

function copyList(lists: Int32Array, at: number, out: IdBuffer): void {
  const count = lists[at] as number;
  out.reserve(count);
  for (let i = 1; i <= count; i++) out.ids[out.length++] = lists[at + i] as number;
}
