/**
 * How well a vocabulary fits each kind of text: bytes per token on the documents of a mixture that
 * are kept from training (all documents of a source that has none), beside gpt2 and cl100k_base
 * where these can be found.
 */
import { contentHash } from "../../llm/data/cleaning/content-hash.ts";
import { isHeldOut } from "../../llm/data/shards/split.ts";
import type { FoundSources } from "../../llm/data/sources/find-sources.node.ts";
import { readPart } from "../../llm/data/sources/read-part.node.ts";
import type { SourceSpec } from "../../llm/data/sources/source.ts";
import type { Tokenizer } from "../../llm/tokenizer/tokenizer.ts";
import type { CommandIo } from "../command.ts";
import { Progress } from "../progress.ts";

/** One source, or all of them together. */
export interface EvalRow {
  readonly source: string;
  readonly domain: string;
  readonly bytes: number;
  /** Tokens by the name of the vocabulary. */
  readonly tokens: Readonly<Record<string, number>>;
}

export interface NamedTokenizer {
  readonly name: string;
  readonly tokenizer: Tokenizer;
}

/** @param maxBytes of each source at most */
export async function evaluateTokenizers(
  found: FoundSources,
  tokenizers: readonly NamedTokenizer[],
  maxBytes: number,
  io: CommandIo,
): Promise<EvalRow[]> {
  const rows: EvalRow[] = [];
  const total = found.sources.length;
  using progress = new Progress(io, { label: "reading", total, unit: "sources" });
  for (const source of found.sources) {
    rows.push(countTokens(source, await heldOutTexts(source, maxBytes, io.signal), tokenizers));
    progress.update(rows.length);
  }
  return [...rows, sumOf(rows, tokenizers)];
}

/** Texts of the validation side; those of a source that has none are all its texts. */
async function heldOutTexts(
  source: SourceSpec,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const held = { texts: [] as Buffer[], bytes: 0 };
  const first = { texts: [] as Buffer[], bytes: 0 };
  for (const part of source.parts) {
    for await (const { text } of readPart(part)) {
      signal.throwIfAborted();
      const into = isHeldOut(contentHash(text)) ? held : first;
      if (into.bytes >= maxBytes) continue;
      const utf8 = Buffer.from(text).subarray(0, maxBytes - into.bytes);
      into.texts.push(utf8);
      into.bytes += utf8.length;
    }
    if (held.bytes >= maxBytes) break;
  }
  return held.texts.length > 0 ? held.texts : first.texts;
}

function countTokens(
  { name, domain }: SourceSpec,
  texts: readonly Uint8Array[],
  tokenizers: readonly NamedTokenizer[],
): EvalRow {
  const tokens = tokenizers.map(({ name: vocabulary, tokenizer }): [string, number] => [
    vocabulary,
    texts.reduce((sum, text) => sum + tokenizer.encodeUtf8(text).length, 0),
  ]);
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  return { source: name, domain, bytes, tokens: Object.fromEntries(tokens) };
}

function sumOf(rows: readonly EvalRow[], tokenizers: readonly NamedTokenizer[]): EvalRow {
  const tokens = tokenizers.map(({ name }): [string, number] => [
    name,
    rows.reduce((sum, row) => sum + (row.tokens[name] as number), 0),
  ]);
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  return { source: "all", domain: "", bytes, tokens: Object.fromEntries(tokens) };
}

/** Bytes per token of every row, in columns; the second line says how large each vocabulary is. */
export function renderEval(
  rows: readonly EvalRow[],
  tokenizers: readonly NamedTokenizer[],
): string {
  const sizes = tokenizers.map(({ tokenizer }) => tokenizer.vocabSize.toLocaleString("en-US"));
  const cells = rows.map(({ source, domain, bytes, tokens }) => [
    ...[source, domain, bytes.toLocaleString("en-US")],
    ...tokenizers.map(({ name }) => (bytes / (tokens[name] as number)).toFixed(3)),
  ]);
  const head = ["source", "domain", "bytes", ...tokenizers.map(({ name }) => name)];
  const all = [head, ["vocabulary", "", "", ...sizes], ...cells];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] as string).length)));
  const pad = (cell: string, i: number): string =>
    i < 2 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number);
  return `bytes per token\n${all.map((row) => `${row.map(pad).join("  ")}\n`).join("")}`;
}
