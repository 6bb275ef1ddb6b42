/**
 * The text of bench:tokenizer: prose of a mixture, source code of the installed packages, rows of
 * evaluation and tool-use sets where they lie beside the checkout, and generated text of the kinds
 * that files lack (CJK, right-to-left, emoji, white space, broken UTF-8 and others).
 *
 * Documents keep their size. They are trimmed to where all contenders agree on what the pattern
 * means: no white space at the end, no U+0085 and U+FEFF (see the conformance test), no special
 * tokens.
 */
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { readFractions } from "../src/llm/data/mixture/budget.ts";
import { findSources } from "../src/llm/data/sources/find-sources.node.ts";
import { readPart } from "../src/llm/data/sources/read-part.node.ts";
import { syntheticTexts } from "../test/llm/tokenizer/varied-text.ts";

export interface BenchText {
  readonly documents: readonly string[];
  /** UTF-8 bytes of all documents. */
  readonly bytes: number;
  /** UTF-8 bytes by where they come from, in the order of the documents. */
  readonly origins: Readonly<Record<string, number>>;
  /** Documents of each origin: that many come from the first, and so on. */
  readonly counts: readonly number[];
}

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const BESIDE = fileURLToPath(new URL("../../shared/data/", import.meta.url));

type Texts = AsyncIterable<string> | Iterable<string>;

interface Kind {
  readonly origin: string;
  /** Of all bytes; what a kind lacks the last one fills. */
  readonly share: number;
  texts(): Texts;
}

/** Prose, code, rows and generated text up to `bytes`. */
export async function mixedText(bytes: number): Promise<BenchText> {
  const { origin } = await findSources();
  const kinds: readonly Kind[] = [
    { origin: "generated", share: 0.12, texts: generated },
    { origin: "evaluation and tool rows", share: 0.13, texts: rowsBeside },
    { origin: "code of packages", share: 0.3, texts: packageCode },
    { origin: `prose of ${nameOf(origin)}`, share: 1, texts: () => mixtureTexts(bytes) },
  ];
  const taken: Taken = { documents: [], bytes: 0, origins: {}, counts: [] };
  for (const { origin: name, share, texts } of kinds) {
    await take(texts(), name, Math.min(share * bytes, bytes - taken.bytes), taken);
  }
  return taken;
}

/** A mixture's text by its weights; repeated where there is less than `bytes` of it. */
export async function trainingText(bytes: number): Promise<BenchText> {
  const { origin } = await findSources();
  const taken: Taken = { documents: [], bytes: 0, origins: {}, counts: [] };
  await take(mixtureTexts(bytes), nameOf(origin), bytes, taken);
  const once = [...taken.documents];
  if (taken.bytes < 0.98 * bytes)
    await take(repeated(once), "repeated", bytes - taken.bytes, taken);
  return taken;
}

interface Taken extends BenchText {
  documents: string[];
  bytes: number;
  origins: Record<string, number>;
  counts: number[];
}

async function take(texts: Texts, origin: string, most: number, into: Taken): Promise<void> {
  let bytes = 0;
  const before = into.documents.length;
  for await (const text of texts) {
    if (bytes >= most) break;
    const document = agreed(text);
    if (document === "") continue;
    into.documents.push(document);
    bytes += Buffer.byteLength(document);
  }
  into.bytes += bytes;
  into.counts.push(into.documents.length - before);
  into.origins[origin] = (into.origins[origin] ?? 0) + bytes;
}

/** A string of its own memory: slices would keep their files alive. */
function agreed(text: string): string {
  const trimmed = text
    .replace(/[\u0085\ufeff]/g, "")
    .replaceAll("<|", "<")
    .trimEnd();
  return Buffer.from(trimmed).toString("utf8");
}

async function* mixtureTexts(bytes: number): AsyncGenerator<string> {
  const { sources, bytes: sizes } = await findSources();
  const weights = sources.map(({ weight }) => weight);
  const fractions = readFractions(sizes, weights, bytes);
  for (const [i, { parts }] of sources.entries()) {
    const fraction = fractions[i] as number;
    for (const part of parts) for await (const { text } of readPart(part, { fraction })) yield text;
  }
}

/** Rank tables are not code; bundles of megabytes would be most of it. */
function* packageCode(): Generator<string> {
  const files = globSync("node_modules/**/*.{ts,js,mjs,cjs}", { cwd: ROOT }).sort();
  const fit = files.filter((file) => !/ranks/i.test(file) && statSync(join(ROOT, file)).size < 3e5);
  for (const file of spread(fit)) yield readFileSync(join(ROOT, file), "utf8");
}

function* rowsBeside(): Generator<string> {
  const files = globSync("{eval,tools}/**/*.jsonl.gz", { cwd: BESIDE }).sort();
  const lines = files.map((file) =>
    gunzipSync(readFileSync(join(BESIDE, file)))
      .toString("utf8")
      .trimEnd()
      .split("\n"),
  );
  const most = Math.max(0, ...lines.map((list) => list.length));
  for (let i = 0; i < most; i++) for (const list of lines) yield list[i] ?? "";
}

function* generated(): Generator<string> {
  for (let seed = 1; ; seed++) for (const { text } of syntheticTexts(seed)) yield text;
}

function* repeated(texts: readonly string[]): Generator<string> {
  while (texts.length > 0) yield* texts;
}

/** Neighbours in a list of files are alike: far ones first. */
function spread<T>(list: readonly T[]): T[] {
  const STEP = 61;
  return Array.from({ length: STEP }, (_, first) =>
    list.filter((_, i) => i % STEP === first),
  ).flat();
}

/** The folder beside the checkout without the way to it. */
function nameOf(origin: string): string {
  const beside = origin.indexOf("shared/data/");
  return beside < 0 ? origin : `../${origin.slice(beside)}`;
}
