/**
 * The vocabulary as a tree of bytes, written flat in the order of a walk: a node is followed by
 * its children, and what a node begins is a run of neighbours. So a walk over all tokens is one
 * loop, and leaving out a subtree is one jump. Built once a vocabulary; special tokens (no bytes)
 * are not in it.
 */
import { NutshellError } from "../../../error.ts";
import type { VocabularyBytes } from "./constraint.ts";
import { type ByteSet, byteRange, compareBytes } from "./expression.ts";

export interface VocabularyTrie {
  readonly vocabSize: number;
  readonly size: number;
  /** By node: the last byte of its prefix, and how many bytes stand before that. */
  readonly byte: Uint8Array;
  readonly depth: Uint16Array;
  /** By node: the first node that does not begin with its prefix. */
  readonly end: Uint32Array;
  /** Token ids in the order of their bytes. */
  readonly ids: Uint32Array;
  /** By node, and one more: the first of `ids` that is this prefix or lies behind it. */
  readonly first: Uint32Array;
  /** By node: how many bytes follow at most, where all of them are plain; 0 where they are not. */
  readonly plainHeight: Uint16Array;
  /** Bytes that are tokens of their own. */
  readonly single: ByteSet;
}

/** What strings of JSON may hold anywhere, and what most of a vocabulary is made of. */
export const plainBytes: readonly number[] = Array.from({ length: 95 }, (_, i) => 0x20 + i).filter(
  (byte) => byte !== 0x22 && byte !== 0x5c,
);

/** Bytes of the longest token. */
const LONGEST = 0xffff;

/** @throws CONFIG for a token of 64 KiB or more */
export function buildTrie(codec: VocabularyBytes): VocabularyTrie {
  const tokens = Array.from({ length: codec.vocabSize }, (_, id) => {
    return { id, bytes: codec.tokenBytes(id) };
  });
  const spoken = tokens.filter(({ bytes }) => bytes.length > 0);
  spoken.sort((a, b) => compareBytes(a.bytes, b.bytes) || a.id - b.id);
  const longest = spoken.find(({ bytes }) => bytes.length > LONGEST);
  if (longest)
    throw new NutshellError(
      "CONFIG",
      `vocabulary: tokens must be shorter than 64 KiB, got ${longest.bytes.length} in ${longest.id}.`,
    );
  const nodes = writeNodes(spoken);
  const { vocabSize } = codec;
  return { vocabSize, ...nodes, plainHeight: plainHeights(nodes), single: singleBytes(spoken) };
}

type Token = { readonly id: number; readonly bytes: Uint8Array };

type Nodes = Omit<VocabularyTrie, "vocabSize" | "single" | "plainHeight">;

function writeNodes(tokens: readonly Token[]): Nodes {
  const total = tokens.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const byte = new Uint8Array(total);
  const depth = new Uint16Array(total);
  const end = new Uint32Array(total);
  const first = new Uint32Array(total + 1);
  const open: number[] = [];
  let size = 0;
  let before: Uint8Array = new Uint8Array();
  for (const [index, { bytes }] of tokens.entries()) {
    const alike = sharedLength(before, bytes);
    while (open.length > alike) end[open.pop() as number] = size;
    for (let at = alike; at < bytes.length; at++) {
      open.push(size);
      byte[size] = bytes[at] as number;
      depth[size] = at;
      first[size++] = index;
    }
    before = bytes;
  }
  for (const node of open) end[node] = size;
  first[size] = tokens.length;
  return {
    ...{ size, byte: byte.slice(0, size), depth: depth.slice(0, size), end: end.slice(0, size) },
    ...{ first: first.slice(0, size + 1), ids: Uint32Array.from(tokens, ({ id }) => id) },
  };
}

/** Backwards, so that children are known before the node above them. */
function plainHeights({ size, byte, end }: Nodes): Uint16Array {
  const plain = new Set(plainBytes);
  const heights = new Uint16Array(size);
  for (let node = size - 1; node >= 0; node--) {
    const last = end[node] as number;
    let height = 0;
    for (let child = node + 1; child < last; child = end[child] as number) {
      const leaf = end[child] === child + 1;
      const whole = plain.has(byte[child] as number) && (leaf || heights[child] !== 0);
      height = whole ? Math.max(height, 1 + (heights[child] as number)) : LONGEST + 1;
      if (!whole) break;
    }
    heights[node] = height > LONGEST ? 0 : height;
  }
  return heights;
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i] !== b[i]) return i;
  return most;
}

function singleBytes(tokens: readonly Token[]): ByteSet {
  return tokens.reduce((set, { bytes: [first = 0], bytes }) => {
    return bytes.length === 1 ? set | byteRange(first, first) : set;
  }, 0n);
}
