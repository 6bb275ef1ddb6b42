/**
 * Everything that the loop needs, in the order in which it can fail: what is on disk, backend,
 * model, rankings, configuration, weights, programs. A resumed run is put exactly where it was
 * saved.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import { NutshellError } from "../../error.ts";
import { requireChatTokens } from "../chat/template.ts";
import { createRewardScorer, type RewardScorer } from "../inference/score.ts";
import type { Checkpoint } from "../model/checkpoint.node.ts";
import type { ModelConfig } from "../model/config.ts";
import { initialiseScalarHead, rewardModelSpecs } from "../model/scalar-head.ts";
import { bestPrecision, type Precision } from "../model/transformer.ts";
import { compileTrainStep, type TrainStep } from "../optim/compile-train-step.ts";
import { optimizerState } from "../optim/train-step.ts";
import { openModel } from "../run/open-model.node.ts";
import {
  type DataState,
  findResumePoint,
  type ResumePoint,
  requireSameConfig,
  requireSameData,
  tryReadCommit,
} from "../run/resume.node.ts";
import { makeFolder } from "../run/run-files.node.ts";
import { createSpikeState, type SpikeState } from "../run/spike-guard.ts";
import { optimizerOptionsOf } from "../run/stage-rates.ts";
import type { Talk } from "../run/talk.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { mostPairs, planBatches, type RowPlan } from "./batches.ts";
import { bradleyTerry } from "./bradley-terry.ts";
import {
  completeSizes,
  completeSteps,
  type RunConfig,
  type SizedConfig,
} from "./complete-config.ts";
import { freeKeys, type RewardConfig } from "./config.ts";
import { findRankings } from "./find-rankings.node.ts";
import { describeRankings, type LoadedRankings, loadRankings } from "./load-rankings.node.ts";
import { openRewardMetrics, type RewardMetrics } from "./metric-records.node.ts";

export interface Run extends AsyncDisposable {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly rankings: LoadedRankings;
  /** Micro-batches of the whole run, in order. */
  readonly plan: readonly RowPlan[];
  readonly backend: Backend;
  readonly store: Store;
  readonly trainStep: TrainStep;
  /** Gives the head's own numbers. */
  readonly scorer: RewardScorer;
  readonly metrics: RewardMetrics;
  readonly spikes: SpikeState;
  /** Files that go into every checkpoint as they are: the tokenizer's. */
  readonly texts: Readonly<Record<string, string>>;
  readonly commit: string | undefined;
  /** The step of the checkpoint that was loaded; absent for a new run. */
  readonly resumedAt: number | undefined;
  /** Steps done. */
  step: number;
  /** Steps done when the last checkpoint was saved. */
  savedAt: number | undefined;
}

/** Where the weights come from: the model that is asked for, or the run's own checkpoint. */
interface Base {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: Tokenizer;
  readonly texts: Readonly<Record<string, string>>;
}

/** @throws what is wrong with files, rankings or configuration */
export async function openRun(asked: RewardConfig, talk: Talk): Promise<Run> {
  await makeFolder(asked.out);
  const resume = await findResumePoint<RunConfig>(asked.out, talk);
  const base = await openBase(asked, resume);
  requireChatTokens(base.tokenizer, `${base.checkpoint.folder}/tokenizer.json`);
  const backend = await chooseBackend(asked.backend, asked, (line) => talk.say(line));
  talk.say(`computing with ${backend.description}`);
  try {
    return await assemble(asked, backend, base, resume, talk);
  } catch (error) {
    backend.dispose();
    throw error;
  }
}

async function openBase(
  { model }: RewardConfig,
  resume: ResumePoint<RunConfig> | undefined,
): Promise<Base> {
  if (resume === undefined && model === undefined)
    throw new NutshellError(
      "CONFIG",
      "reward: a model to start from is needed, got none. Name the folder of an SFT run by --model.",
    );
  const found = await openModel(resume?.checkpoint.folder ?? (model as string));
  const template = await found.checkpoint.readText(TEMPLATE);
  const texts = {
    "tokenizer.json": found.tokenizerJson,
    ...(template === undefined ? {} : { [TEMPLATE]: template }),
  };
  return { checkpoint: found.checkpoint, tokenizer: found.tokenizer, texts };
}

/** Holds the chat template. */
const TEMPLATE = "tokenizer_config.json";

async function assemble(
  asked: RewardConfig,
  backend: Backend,
  base: Base,
  resume: ResumePoint<RunConfig, DataState> | undefined,
  talk: Talk,
): Promise<Run> {
  const model = base.checkpoint.config;
  const sized = completeSizes(asked, model);
  const { sources, takesBuiltin } = findRankings(asked.data);
  const limits = { T: sized.sequenceLen, maxResponses: asked.maxResponses };
  const amounts = { builtin: takesBuiltin ? asked.builtin : 0, heldOut: asked.heldOut };
  const options = { ...limits, ...amounts, seed: asked.seed };
  const rankings = await loadRankings(sources, base.tokenizer, options, talk);
  talk.say(describeRankings(rankings));
  const { config, plan } = planRun(sized, rankings, bestPrecision(backend));
  if (resume !== undefined) {
    requireSameConfig(asked.out, resume.config, config, freeKeys);
    requireSameData(asked.out, resume.data, rankings.hash);
  }
  const store = backend.createStore();
  await fillStore(store, model, config, base, resume !== undefined);
  talk.status("compiling the step");
  const programs = await compile(backend, store, model, config);
  return {
    ...{ config, model, rankings, plan, backend, store, ...programs },
    metrics: openRewardMetrics(config.out, resume?.metrics ?? ""),
    spikes: resume?.data.spikes ?? createSpikeState(),
    texts: base.texts,
    commit: tryReadCommit(),
    resumedAt: resume?.step,
    step: resume?.step ?? 0,
    savedAt: resume?.step,
    async [Symbol.asyncDispose]() {
      // Programs point into the store, and all of them into the backend.
      for (const owned of [programs.trainStep, programs.scorer, store, backend])
        await owned.dispose();
    },
  };
}

function planRun(
  sized: SizedConfig,
  { train }: LoadedRankings,
  auto: Precision,
): { config: RunConfig; plan: RowPlan[] } {
  const { batchSize, seed, epochs, gradAccumSteps, steps } = sized;
  const sizes = train.map(({ rows }) => rows.length);
  const want = steps === undefined ? undefined : steps * gradAccumSteps;
  const plan = planBatches(sizes, batchSize, seed, { epochs, want });
  return { config: completeSteps(sized, Math.ceil(plan.length / gradAccumSteps), auto), plan };
}

async function fillStore(
  store: Store,
  model: ModelConfig,
  config: RunConfig,
  { checkpoint }: Base,
  isResumed: boolean,
): Promise<void> {
  const specs = rewardModelSpecs(model);
  if (isResumed) {
    await checkpoint.loadParameters(store, specs);
    await checkpoint.loadOptimizer(store, optimizerState(specs, config.optimizer));
    return;
  }
  await checkpoint.loadParameters(store);
  await initialiseScalarHead(store, model, config.seed);
}

async function compile(
  backend: Backend,
  store: Store,
  model: ModelConfig,
  config: RunConfig,
): Promise<{ trainStep: TrainStep; scorer: RewardScorer }> {
  const { batchSize: B, sequenceLen: T, precision, gradAccumSteps } = config;
  const pairs = mostPairs({ B, T, maxResponses: config.maxResponses });
  const objective = bradleyTerry(model, { B, T, precision }, pairs, config);
  const options = optimizerOptionsOf(config);
  const trainStep = await compileTrainStep(backend, store, objective, options, gradAccumSteps);
  return { trainStep, scorer: createRewardScorer(backend, store, model, { B, T, precision }) };
}
