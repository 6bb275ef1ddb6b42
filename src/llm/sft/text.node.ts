/**
 * Rows of pretraining's text among those of conversations, so that the assistant does not forget
 * how to continue text. They are packed and drawn as in pretraining, under another seed, and all of
 * their tokens are learned.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Backend, Store } from "../../compute/backend.ts";
import { NutshellError } from "../../error.ts";
import { describeRun, planRun, type RunMixture } from "../data/prepare/run-mixture.ts";
import { createBatch } from "../data/sampling/batch.ts";
import { createSampler, packSource } from "../data/sampling/sampler.ts";
import { MANIFEST_FILE } from "../data/shards/manifest.ts";
import { openPrepared, type PreparedFolder } from "../data/shards/prepared-folder.node.ts";
import type { TokenSource } from "../data/shards/token-documents.ts";
import type { ModelConfig } from "../model/config.ts";
import type { DataCard } from "../run/data-card.ts";
import { compileEvaluator, type Evaluator } from "../run/held-out.ts";
import type { OpenModel } from "../run/open-model.node.ts";
import { requireSameTokenizer } from "../run/same-tokenizer.ts";
import { type Tokenizer, tokenByteCounts } from "../tokenizer/tokenizer.ts";
import type { RunConfig } from "./complete-config.ts";
import type { SftConfig } from "./config.ts";
import { type TextRows, textRowsBefore } from "./sampler.ts";

/**
 * @returns undefined without a share of text
 * @throws CONFIG for a text without a share; DATA when it is missing or not the model's
 */
export function openText(asked: SftConfig, opened: OpenModel): PreparedFolder | undefined {
  if (asked.textShare === 0 && asked.text === undefined) return undefined;
  if (asked.textShare === 0)
    throw new NutshellError("CONFIG", "sft: --text needs --text-share above 0, got 0.");
  const folder = findText(asked, opened);
  const prepared = openPrepared(folder);
  try {
    requireSameTokenizer(folder, prepared.tokenizerJson, opened.tokenizerJson);
    return prepared;
  } catch (error) {
    prepared[Symbol.dispose]();
    throw error;
  }
}

/** A folder that was named, else what the base model's run was trained on. */
function findText({ text, textShare }: SftConfig, { checkpoint }: OpenModel): string {
  if (text !== undefined) return text;
  const own = (checkpoint.training?.config as { data?: unknown } | undefined)?.data;
  const beside = [join(checkpoint.folder, "data"), join(dirname(checkpoint.folder), "data")];
  const candidates = typeof own === "string" ? [...beside, own] : beside;
  const found = candidates.find((folder) => existsSync(join(folder, MANIFEST_FILE)));
  if (found !== undefined) return found;
  throw new NutshellError(
    "DATA",
    `sft: a share of ${textShare} of text needs what the model was trained on, got no prepared ` +
      `folder at ${candidates.join(" or ")}. Name one with --text, or pass --text-share 0.`,
  );
}

/** The text of one run. */
export interface RunText extends TextRows {
  /** Sources with their weights in the mixture; to measure with. */
  readonly held: readonly TokenSource[];
  /** Shares of the text alone. */
  readonly cards: readonly DataCard[];
}

/** @throws DATA, CONFIG when the mixture cannot be drawn */
export function planText({ manifest, sources }: PreparedFolder, config: RunConfig): RunText {
  const { seed, batchSize, gradAccumSteps, sequenceLen, steps, textShare: share } = config;
  const packed = sources.map((source) => packSource(source, sequenceLen));
  const rows = Math.max(1, textRowsBefore(steps * batchSize * gradAccumSteps, share));
  const run = { rows, rowsPerStep: 1, epochRows: packed.map(({ plan }) => plan.rows) };
  const plan = planRun(manifest, run);
  const drawn = { packed, plan, seed: (seed ^ TEXT) >>> 0, batchSize: 1, gradAccumSteps: 1 };
  const sampler = createSampler(drawn);
  const row = createBatch(1, sequenceLen);
  const mixture = describeRun(manifest, plan, run);
  return {
    share,
    write(n, { inputs, targets }, b) {
      sampler.batchAt(n, 0, row);
      inputs.set(row.inputs, b * sequenceLen);
      targets.set(row.targets, b * sequenceLen);
    },
    held: weigh(sources, mixture),
    cards: manifest.sources.map(({ name, licence, card }, i) => {
      return { name: `text: ${name}`, licence, card, share: mixture.rows[i]?.realised ?? 0 };
    }),
  };
}

/** Tells these rows apart from those that pretraining drew under the same seed. */
const TEXT = 0x74657874;

/**
 * Bits per byte of the held-out side, of as many rows as pretraining's presets measure.
 * @returns undefined where nothing is held out
 */
export async function compileTextEvaluator(
  backend: Backend,
  store: Store,
  model: ModelConfig,
  { batchSize, sequenceLen, precision }: RunConfig,
  { held }: RunText,
  tokenizer: Tokenizer,
): Promise<Evaluator | undefined> {
  if (held.every(({ validation }) => validation.tokens.length < 2)) return undefined;
  const shape = { batchSize, sequenceLen, precision, evalBatches: EVAL_BATCHES };
  return compileEvaluator(backend, store, model, shape, held, tokenByteCounts(tokenizer));
}

/** Batches of each source. */
const EVAL_BATCHES = 2;

function weigh(sources: readonly TokenSource[], { rows }: RunMixture): TokenSource[] {
  return sources.map((source, i) => ({ ...source, weight: rows[i]?.requested ?? 0 }));
}
