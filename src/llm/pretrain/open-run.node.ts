/**
 * Everything that the loop needs, in the order in which it can fail: what is on disk, backend,
 * text, configuration, weights, programs. A resumed run is put exactly where it was saved.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import { renderMixtureTable } from "../data/mixture/table.ts";
import { writeMixture } from "../data/prepare/mixture-report.node.ts";
import { describeRun, planRun, type RunMixture } from "../data/prepare/run-mixture.ts";
import { createSampler, packSource, type Sampler } from "../data/sampling/sampler.ts";
import { createGenerator, type TokenGenerator } from "../inference/generator.ts";
import type { ModelConfig } from "../model/config.ts";
import { initialise, parameterSpecs } from "../model/parameters.ts";
import { bestPrecision } from "../model/transformer.ts";
import { compileTrainStep, type TrainStep } from "../optim/compile-train-step.ts";
import { languageModelling } from "../optim/objective.ts";
import { optimizerState } from "../optim/train-step.ts";
import { compileEvaluator, type Evaluator } from "../run/held-out.ts";
import {
  findResumePoint,
  type ResumePoint,
  requireSameConfig,
  requireSameData,
  tryReadCommit,
} from "../run/resume.node.ts";
import { makeFolder } from "../run/run-files.node.ts";
import { createSpikeState, type SpikeState } from "../run/spike-guard.ts";
import { renderStageConfig } from "../run/stage-rates.ts";
import type { Talk } from "../run/talk.ts";
import { tokenByteCounts } from "../tokenizer/tokenizer.ts";
import { toTokenizerJson } from "../tokenizer/tokenizer-json.ts";
import { completeConfig, optimizerOptions, type RunConfig } from "./complete-config.ts";
import { freeKeys, type PretrainConfig } from "./config.ts";
import { openPretrainMetrics, type PretrainMetrics } from "./metric-records.node.ts";
import { type PreparedData, prepareData } from "./prepare-data.node.ts";

export interface Run extends AsyncDisposable {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly data: PreparedData;
  readonly backend: Backend;
  readonly store: Store;
  /** What the run asks of each source, and what it draws. */
  readonly mixture: RunMixture;
  readonly sampler: Sampler;
  readonly trainStep: TrainStep;
  readonly evaluator: Evaluator;
  readonly generator: TokenGenerator;
  readonly metrics: PretrainMetrics;
  readonly spikes: SpikeState;
  readonly tokenizerJson: string;
  readonly commit: string | undefined;
  /** The step of the checkpoint that was loaded; absent for a new run. */
  readonly resumedAt: number | undefined;
  /** Steps done. */
  step: number;
  /** Steps done when the last checkpoint was saved. */
  savedAt: number | undefined;
}

/** @throws what is wrong with files, text or configuration; the signal's reason when aborted */
export async function openRun(
  asked: PretrainConfig,
  talk: Talk,
  signal: AbortSignal,
): Promise<Run> {
  await makeFolder(asked.out);
  const resume = await findResumePoint<RunConfig>(asked.out, talk);
  const backend = await chooseBackend(asked.backend, asked, (line) => talk.say(line));
  talk.say(`computing with ${backend.description}`);
  try {
    if (resume !== undefined)
      requireSameConfig(
        asked.out,
        resume.config,
        complete(asked, resume.tokenizer, backend).config,
        freeKeys,
      );
    const data = await prepareData(asked, resume?.tokenizer, talk, signal);
    if (resume !== undefined) requireSameData(asked.out, resume.data, data.hash);
    return await assemble(asked, backend, data, resume, talk);
  } catch (error) {
    backend.dispose();
    throw error;
  }
}

function complete(
  asked: PretrainConfig,
  { vocabSize }: { vocabSize: number },
  backend: Backend,
): ReturnType<typeof completeConfig> {
  return completeConfig(asked, vocabSize, bestPrecision(backend));
}

async function assemble(
  asked: PretrainConfig,
  backend: Backend,
  data: PreparedData,
  resume: ResumePoint<RunConfig> | undefined,
  talk: Talk,
): Promise<Run> {
  const { config, model } = complete(asked, data.tokenizer, backend);
  talk.say(renderStageConfig(config));
  const { sampler, mixture } = mixSources(config, data);
  talk.say(renderRunMixture(data, mixture));
  await writeMixture(config.out, mixture);
  const store = backend.createStore();
  await fillStore(store, model, config, resume);
  talk.status("compiling the step");
  const { batchSize: B, sequenceLen: T, precision, gradAccumSteps } = config;
  const objective = languageModelling(model, { B, T, precision });
  const options = optimizerOptions(config);
  const trainStep = await compileTrainStep(backend, store, objective, options, gradAccumSteps);
  const tokenBytes = tokenByteCounts(data.tokenizer);
  const held = data.sources.map((source, i) => {
    return { ...source, weight: mixture.rows[i]?.requested ?? 0 };
  });
  const evaluator = await compileEvaluator(backend, store, model, config, held, tokenBytes);
  const generator = createGenerator(backend, store, model, { precision: config.precision });
  return {
    ...{ config, model, data, mixture, backend, store, sampler },
    ...{ trainStep, evaluator, generator },
    metrics: openPretrainMetrics(config.out, resume?.metrics ?? ""),
    spikes: resume?.data.spikes ?? createSpikeState(),
    tokenizerJson: toTokenizerJson(data.tokenizer),
    commit: tryReadCommit(),
    resumedAt: resume?.step,
    step: resume?.step ?? 0,
    savedAt: resume?.step,
    async [Symbol.asyncDispose]() {
      // Programs point into the store, and all of them into the backend.
      for (const owned of [trainStep, evaluator, generator, store, backend]) await owned.dispose();
      data[Symbol.dispose]();
    },
  };
}

/** The sources over the whole run: which rows it draws, and what that looks like. */
function mixSources(
  config: RunConfig,
  { sources, manifest }: PreparedData,
): { sampler: Sampler; mixture: RunMixture } {
  const { seed, batchSize, sequenceLen, gradAccumSteps, steps } = config;
  const rowsPerStep = batchSize * gradAccumSteps;
  const packed = sources.map((source) => packSource(source, sequenceLen));
  const epochRows = packed.map(({ plan }) => plan.rows);
  const run = { rows: steps * rowsPerStep, rowsPerStep, epochRows };
  const plan = planRun(manifest, run);
  const sampler = createSampler({ packed, plan, seed, batchSize, gradAccumSteps });
  return { sampler, mixture: describeRun(manifest, plan, run) };
}

function renderRunMixture({ manifest }: PreparedData, { rows, emptySlots }: RunMixture): string {
  const { vocabSize } = manifest.tokenizer;
  const table = renderMixtureTable(rows, emptySlots);
  return `text from ${manifest.origin}, in a vocabulary of ${vocabSize} tokens\n${table}`;
}

async function fillStore(
  store: Store,
  model: ModelConfig,
  config: RunConfig,
  resume: ResumePoint<RunConfig> | undefined,
): Promise<void> {
  if (resume === undefined) return initialise(store, model, config.seed);
  await resume.checkpoint.loadParameters(store);
  await resume.checkpoint.loadOptimizer(
    store,
    optimizerState(parameterSpecs(model), config.optimizer),
  );
}
