/**
 * The text that `tokenizer train` learns from: a mixture by its weights, up to a budget, without
 * the documents that are kept for validation, which `tokenizer eval` reads.
 */
import { contentHash } from "../../llm/data/cleaning/content-hash.ts";
import { type Document, utf8Length } from "../../llm/data/document.ts";
import { readFractions } from "../../llm/data/mixture/budget.ts";
import { isHeldOut } from "../../llm/data/shards/split.ts";
import type { FoundSources } from "../../llm/data/sources/find-sources.node.ts";
import { readPart } from "../../llm/data/sources/read-part.node.ts";
import { createSample } from "../../llm/data/sources/sample.ts";
import type { SourceSpec } from "../../llm/data/sources/source.ts";
import type { CommandIo } from "../command.ts";
import { Progress } from "../progress.ts";

/** From here on merging may take seconds as well, and is worth a word. */
const SLOW_BYTES = 10_000_000;

/** Streams the texts and counts their UTF-8 bytes. */
export class LearningText implements AsyncIterable<string> {
  readonly #found: FoundSources;
  readonly #io: CommandIo;
  readonly #fractions: readonly number[];
  /** Bytes there will be, about. */
  readonly total: number;
  /** Bytes given so far. */
  bytes = 0;

  constructor(found: FoundSources, maxBytes: number, io: CommandIo) {
    const weights = found.sources.map(({ weight }) => weight);
    this.#found = found;
    this.#io = io;
    this.#fractions = readFractions(found.bytes, weights, maxBytes);
    this.total = found.bytes.reduce(
      (sum, size, i) => sum + size * (this.#fractions[i] as number),
      0,
    );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    const options = { label: "counting words", total: this.total, unit: "bytes" };
    const progress = new Progress(this.#io, options);
    for (const [i, source] of this.#found.sources.entries()) {
      const sample = createSample(this.#fractions[i] as number);
      for await (const document of trainingDocuments(source)) {
        this.#io.signal.throwIfAborted();
        for (const { text } of sample(document)) {
          this.bytes += utf8Length(text);
          progress.update(this.bytes);
          yield text;
        }
      }
    }
    progress.end();
    if (this.bytes >= SLOW_BYTES) this.#io.stderr("merging pairs\n");
  }
}

/** Documents that are trained on; where that is none, those that are held out. */
async function* trainingDocuments({ parts }: SourceSpec): AsyncGenerator<Document> {
  const held: Document[] = [];
  let taken = false;
  for (const part of parts) {
    for await (const document of readPart(part)) {
      if (!isHeldOut(contentHash(document.text))) {
        taken = true;
        yield document;
      } else if (!taken) held.push(document);
    }
  }
  if (!taken) yield* held;
}
