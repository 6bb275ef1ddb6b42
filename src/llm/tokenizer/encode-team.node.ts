/**
 * Encodes many documents at once in worker threads. Ids do not depend on the number of threads.
 *
 * A job is a run of whole documents as UTF-8; its ids come back in one buffer, and every document
 * of the answer is a view into it.
 */

import type { BpeTokenizer } from "./bpe.ts";
import { compileBpe } from "./bpe.ts";
import type { CharacterTokenizer } from "./character.ts";
import type { EncodedJob, EncodeJob, EncoderPlan } from "./encode.worker.node.ts";
import { batchTexts } from "./text-batches.ts";
import { WorkerTeam } from "./worker-team.node.ts";

export interface EncodeTeam extends AsyncDisposable {
  /** Ids of each text, in order, without special tokens. @throws TOKENIZER as `encode` does */
  encodeBatch(texts: readonly string[]): Promise<Uint32Array[]>;
}

/** Characters a job has: few enough that all threads get some, not so few that messages cost. */
const LEAST_CHARACTERS = 1 << 15;
const MOST_CHARACTERS = 1 << 20;
const JOBS_PER_THREAD = 4;

const encoder = new TextEncoder();

/** @param threads worker threads; the calling thread only hands out work */
export async function createEncodeTeam(
  tokenizer: BpeTokenizer | CharacterTokenizer,
  threads: number,
): Promise<EncodeTeam> {
  const entry = new URL("./encode.worker.node.ts", import.meta.url);
  const team = new WorkerTeam<EncodeJob, EncodedJob>(entry, threads, planOf(tokenizer));
  await team.all({ utf8: new Uint8Array(), ends: new Uint32Array() });
  return {
    encodeBatch: (texts) => encodeBatch(team, texts, jobCharacters(texts, threads)),
    [Symbol.asyncDispose]: () => team[Symbol.asyncDispose](),
  };
}

function jobCharacters(texts: readonly string[], threads: number): number {
  const all = texts.reduce((sum, text) => sum + text.length, 0);
  const even = Math.ceil(all / (threads * JOBS_PER_THREAD));
  return Math.min(Math.max(even, LEAST_CHARACTERS), MOST_CHARACTERS);
}

function planOf(tokenizer: BpeTokenizer | CharacterTokenizer): EncoderPlan {
  if (tokenizer.kind === "character") {
    return { kind: "character", characters: tokenizer.characters };
  }
  return { kind: "bpe", compiled: compileBpe(tokenizer.vocabulary) };
}

async function encodeBatch(
  team: WorkerTeam<EncodeJob, EncodedJob>,
  texts: readonly string[],
  characters: number,
): Promise<Uint32Array[]> {
  const results: Promise<readonly Uint32Array[]>[] = [];
  for await (const batch of batchTexts(texts, characters)) {
    const job = toJob(batch);
    const { result } = await team.start(job, [job.utf8.buffer, job.ends.buffer]);
    const documents = result.then(toDocuments);
    // Seen below; until then nobody awaits it.
    documents.catch(() => {});
    results.push(documents);
  }
  return (await Promise.all(results)).flat();
}

/** Where texts are written before their size is known; grows to the largest job. */
let scratch = new Uint8Array();

/**
 * Bytes cross to another thread without a copy; strings would be written and read again. Writing
 * first and copying what was written costs half of counting the bytes first.
 */
function toJob(texts: readonly string[]): EncodeJob {
  const most = 3 * texts.reduce((sum, text) => sum + text.length, 0);
  if (scratch.length < most) scratch = new Uint8Array(most);
  const ends = new Uint32Array(texts.length);
  let end = 0;
  for (let i = 0; i < texts.length; i++) {
    end += encoder.encodeInto(texts[i] as string, scratch.subarray(end)).written;
    ends[i] = end;
  }
  return { utf8: scratch.slice(0, end), ends };
}

function toDocuments({ ids, ends }: EncodedJob): Uint32Array[] {
  return Array.from(ends, (end, i) => ids.subarray(i === 0 ? 0 : ends[i - 1], end));
}
