/** Worker thread of `encode-team.node.ts`: texts as bytes in, their ids in one buffer out. */

import { type CompiledBpe, createBpeEncoder } from "./bpe.ts";
import { createCharacterEncoder } from "./character.ts";
import { IdBuffer } from "./id-buffer.ts";
import type { Encoder } from "./tokenizer.ts";
import { answerJobs, startWorker } from "./worker-jobs.node.ts";

export type EncoderPlan =
  | { readonly kind: "bpe"; readonly compiled: CompiledBpe }
  | { readonly kind: "character"; readonly characters: readonly string[] };

export interface EncodeJob {
  /** All texts one after another. */
  readonly utf8: Uint8Array<ArrayBuffer>;
  /** Where each text ends in the bytes. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

export interface EncodedJob {
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Where the ids of each text end. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

function encoderOf(plan: EncoderPlan): Encoder {
  if (plan.kind === "bpe") return createBpeEncoder(plan.compiled);
  return createCharacterEncoder(plan.characters);
}

const encoder = encoderOf(startWorker<EncoderPlan>());
const buffer = new IdBuffer();

answerJobs(({ utf8, ends: textEnds }: EncodeJob) => {
  buffer.clear();
  const ends = new Uint32Array(textEnds.length);
  let start = 0;
  for (const [i, end] of textEnds.entries()) {
    encoder.encodeUtf8(utf8.subarray(start, end), buffer);
    ends[i] = buffer.length;
    start = end;
  }
  const ids = buffer.toUint32();
  return { result: { ids, ends }, transfer: [ids.buffer, ends.buffer] };
});
