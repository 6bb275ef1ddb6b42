/**
 * The prepared folder of bench:data: four sources of random tokens in documents of 30 to some
 * 20,000 tokens, lengths spread as those of web text. Made once and kept for the next run, by a
 * process of its own so that nothing of it is left in memory: `node bench/data-folder.ts DIR N`.
 */
import { philox } from "../src/compute/philox.ts";
import { finishPrepared } from "../src/llm/data/shards/finish-prepared.node.ts";
import type { ManifestSource } from "../src/llm/data/shards/manifest.ts";
import {
  planShards,
  prepareShards,
  type ShardDocument,
} from "../src/llm/data/shards/prepare-shards.node.ts";
import { toTokenizerJson } from "../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../src/llm/tokenizer/train.ts";

const VOCABULARY = 8192;
const BOS = 0;
const SOURCES = [
  { name: "web", weight: 0.6, share: 0.5 },
  { name: "books", weight: 0.2, share: 0.3 },
  { name: "code", weight: 0.15, share: 0.15 },
  { name: "dialogue", weight: 0.05, share: 0.05 },
] as const;

/** Tokens of document i: e^(6 + 1.2 z), z near enough to a normal variable. */
function lengthOf(words: readonly number[]): number {
  const z = words.reduce((sum, word) => sum + word / 2 ** 32, -2) * Math.sqrt(3);
  return Math.max(30, Math.round(Math.exp(6 + 1.2 * z)));
}

/** A text names the seed of its tokens; the encoder below makes them. */
function* documentsOf(source: number, tokens: number): Generator<ShardDocument> {
  for (let i = 0, made = 0; made < tokens; i++) {
    const words = philox([i, source, 0, 0], [1, 2]);
    made += lengthOf(words);
    const contentHash = (BigInt(words[0] as number) << 32n) | BigInt(words[1] as number);
    yield { text: JSON.stringify(words), contentHash };
  }
}

function encode(text: string): Int32Array {
  const words = JSON.parse(text) as number[];
  let state = words[2] as number;
  return Int32Array.from({ length: lengthOf(words) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 1 + (state % (VOCABULARY - 1));
  });
}

/** @param tokens of all sources together */
async function makeFolder(folder: string, tokens: number): Promise<void> {
  const sources: ManifestSource[] = [];
  for (const [i, { name, weight, share }] of SOURCES.entries()) {
    const documents = () => documentsOf(i, share * tokens);
    const hashes = [...documents()].map(({ contentHash }) => contentHash);
    const { key, shards } = await prepareShards({
      ...{ folder, documents, plan: planShards(name, "random", [`${tokens}`], hashes) },
      tokenizer: { vocabSize: VOCABULARY, bos: BOS },
      encoder: { encodeBatch: async (texts) => texts.map(encode) },
    });
    const facts = { licence: "none", card: "Random tokens.", domain: "other", parts: [] } as const;
    sources.push({ name, weight, ...facts, documents: hashes.length, bytes: 0, key, shards });
  }
  const json = toTokenizerJson(trainBpe(["random tokens"], { vocabSize: 260 }));
  const rest = { origin: "random tokens", stamp: "", cleaning: "none", mixture: {}, sources };
  await finishPrepared(folder, { json, vocabSize: VOCABULARY, bos: BOS }, rest);
}

const [, , target = "", size] = process.argv;
await makeFolder(target, Number(size));
