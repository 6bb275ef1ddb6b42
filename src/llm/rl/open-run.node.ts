/**
 * Everything that the loop needs, in the order in which it can fail: the start model, tasks, what
 * is on disk, backend, configuration, weights, programs. A resumed run is put exactly where it was
 * saved.
 */
import { join } from "node:path";
import type { Backend, Store } from "../../compute/backend.ts";
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import { NutshellError } from "../../error.ts";
import { requireChatTokens } from "../chat/template.ts";
import { type BatchGenerator, createBatchGenerator } from "../inference/batch-generator.ts";
import { createLogprobScorer, type LogprobScorer } from "../inference/logprobs.ts";
import type { RewardScorer } from "../inference/score.ts";
import type { ModelConfig } from "../model/config.ts";
import { parameterSpecs } from "../model/parameters.ts";
import { optimizerState } from "../optim/train-step.ts";
import { hashArrays } from "../run/metrics.node.ts";
import { hashWeights, type OpenModel, openModel } from "../run/open-model.node.ts";
import {
  type DataState,
  findResumePoint,
  type ResumePoint,
  requireSameConfig,
  requireSameData,
  tryReadCommit,
} from "../run/resume.node.ts";
import { makeFolder } from "../run/run-files.node.ts";
import { createSpikeState } from "../run/spike-guard.ts";
import { optimizerOptionsOf, renderStageConfig } from "../run/stage-rates.ts";
import type { Talk } from "../run/talk.ts";
import type { Problem, Task } from "../tasks/task.ts";
import { algorithms, policyObjective } from "./algorithms.ts";
import { completeConfig, type RunConfig } from "./complete-config.ts";
import { type RlConfig, rlFreeKeys } from "./config.ts";
import type { LearningState } from "./learn.ts";
import type { Bundle } from "./learn-rows.ts";
import { openRlMetrics, type RlMetrics } from "./metric-records.node.ts";
import { openTasks } from "./open-tasks.node.ts";
import { openJudge, openRankings } from "./open-teachers.node.ts";
import { paddedShapes } from "./padded-shapes.ts";
import { createPolicyUpdate, type PolicyUpdate } from "./policy-update.ts";
import { drawProblems } from "./rollout.ts";
import {
  createValueScorer,
  defineValueHead,
  type ValueScorer,
  valueHeadSpecs,
} from "./value-head.ts";

/** What a checkpoint keeps beside weights and optimizer; `dataHash` is that of ranked pairs. */
export interface RlDataState extends DataState {
  /** SHA-256 of the weights that the run began with. */
  readonly startHash: string;
  readonly updates: number;
  readonly klWeight: number;
}

export interface Run extends AsyncDisposable {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly tokenizer: OpenModel["tokenizer"];
  readonly tokenizerJson: string;
  /** Of the start model's weights, and of what is learned from beside rollouts. */
  readonly startHash: string;
  readonly dataHash: string;
  readonly tasks: readonly Task[];
  /** Learned from in place of rollouts, when --data names a file. */
  readonly rankedPairs: readonly Bundle[] | undefined;
  /** Behind pass@1; none of them is ever trained on. */
  readonly heldOut: readonly Problem[];
  readonly backend: Backend;
  readonly store: Store;
  readonly generator: BatchGenerator;
  /** The start model, frozen. */
  readonly reference: LogprobScorer;
  readonly valueHead: ValueScorer | undefined;
  readonly rewardModel: RewardScorer | undefined;
  readonly update: PolicyUpdate;
  readonly learning: LearningState;
  readonly metrics: RlMetrics;
  readonly commit: string | undefined;
  /** The step of the checkpoint that was loaded; absent for a new run. */
  readonly resumedAt: number | undefined;
  /** Steps done. */
  step: number;
  /** Steps done when the last checkpoint was saved. */
  savedAt: number | undefined;
}

type Resume = ResumePoint<RunConfig, RlDataState>;

/**
 * @param given tasks in place of those that `asked.task` names
 * @throws what is wrong with files, tasks or configuration
 */
export async function openRun(asked: RlConfig, talk: Talk, given?: readonly Task[]): Promise<Run> {
  const opened = await openModel(requireModel(asked));
  requireChatTokens(opened.tokenizer, join(opened.checkpoint.folder, "tokenizer.json"));
  const tasks = given ?? (await openTasks(asked));
  await makeFolder(asked.out);
  const resume = await findResumePoint<RunConfig, RlDataState>(asked.out, talk);
  const backend = await chooseBackend(asked.backend, asked, (line) => talk.say(line));
  talk.say(`computing with ${backend.description}`);
  try {
    return await assemble(asked, backend, opened, tasks, resume, talk);
  } catch (error) {
    backend.dispose();
    throw error;
  }
}

function requireModel({ model }: RlConfig): string {
  if (model !== undefined) return model;
  throw new NutshellError(
    "USAGE",
    "rl: needs a chat model to start from, got none. Write --model runs/out/tiny/2-sft.",
  );
}

async function assemble(
  asked: RlConfig,
  backend: Backend,
  opened: OpenModel,
  tasks: readonly Task[],
  resume: Resume | undefined,
  talk: Talk,
): Promise<Run> {
  const { checkpoint, tokenizer, tokenizerJson } = opened;
  const model = checkpoint.config;
  const auto = backend.description.includes("bf16") ? "bf16" : "f32";
  const config = completeConfig(asked, model, auto);
  const startHash = await hashWeights(opened);
  if (resume !== undefined) requireSameRun(config, resume, startHash);
  talk.say(renderStageConfig(config));
  const { precision, sequenceLen: T, batchSize: B, slots, seed } = config;
  const { hasValueHead, rowsTogether } = algorithms[config.algorithm];
  const [store, frozen] = [backend.createStore(), backend.createStore()];
  await opened.checkpoint.loadParameters(frozen);
  await fillStore(store, opened, config, resume);
  const rewardModel = await openJudge(config, opened, backend);
  talk.status("compiling");
  const shapes = paddedShapes(B, T, rowsTogether);
  const reference = await createLogprobScorer(backend, frozen, model, { B, T, precision });
  const rankedPairs = await openRankings(config, opened, reference, talk);
  const dataHash = hashArrays(rankedPairs?.flat().map(({ ids }) => ids) ?? []);
  if (resume !== undefined) requireSameData(config.out, resume.data, dataHash);
  const valueHead = hasValueHead
    ? createValueScorer(backend, store, model, precision, shapes)
    : undefined;
  const update = await createPolicyUpdate(
    backend,
    store,
    (shape) => policyObjective(model, config, { ...shape, precision }),
    optimizerOptionsOf(config),
    shapes,
  );
  const vocabSize = tokenizer.vocabSize;
  const options = { precision, slots, contextLen: T, vocabSize };
  const generator = createBatchGenerator(backend, store, model, options);
  return {
    ...{
      config,
      model,
      tokenizer,
      tokenizerJson,
      startHash,
      dataHash,
      tasks,
      backend,
      store,
      generator,
    },
    ...{ reference, valueHead, rewardModel, rankedPairs, update },
    heldOut: drawProblems(tasks, 0, config.evalProblems, "test", seed),
    learning: {
      spikes: resume?.data.spikes ?? createSpikeState(),
      updates: resume?.data.updates ?? 0,
      klWeight: resume?.data.klWeight ?? config.kl,
    },
    metrics: openRlMetrics(config.out, resume?.metrics ?? ""),
    commit: tryReadCommit(),
    resumedAt: resume?.step,
    step: resume?.step ?? 0,
    savedAt: resume?.step,
    async [Symbol.asyncDispose]() {
      // Programs point into the stores, and all of them into the backend.
      for (const owned of [update, generator, reference, valueHead, rewardModel])
        await owned?.dispose();
      for (const owned of [store, frozen, backend]) owned.dispose();
    },
  };
}

/** Names and shapes of all that training needs beside the model's own parameters. */
export function trainingState(
  model: ModelConfig,
  { algorithm, optimizer }: Pick<RunConfig, "algorithm" | "optimizer">,
): { name: string; shape: readonly number[] }[] {
  const head = algorithms[algorithm].hasValueHead ? valueHeadSpecs(model) : [];
  const specs = [...parameterSpecs(model), ...head];
  return [...head.map(({ name, shape }) => ({ name, shape })), ...optimizerState(specs, optimizer)];
}

async function fillStore(
  store: Store,
  opened: OpenModel,
  config: RunConfig,
  resume: Resume | undefined,
): Promise<void> {
  const { config: model } = opened.checkpoint;
  if (algorithms[config.algorithm].hasValueHead) defineValueHead(store, model);
  await (resume ?? opened).checkpoint.loadParameters(store);
  await resume?.checkpoint.loadOptimizer(store, trainingState(model, config));
}

/** @throws CONFIG, CHECKPOINT when the run in `out` is another one */
function requireSameRun(config: RunConfig, resume: Resume, startHash: string): void {
  requireSameConfig(config.out, resume.config, config, rlFreeKeys);
  if (resume.data.startHash === startHash) return;
  throw new NutshellError(
    "CHECKPOINT",
    `${config.out}: a resumed run must begin from the model of before, got weights ` +
      `${startHash.slice(0, 12)}… where it has ${resume.data.startHash.slice(0, 12)}…. ` +
      "Pass the --model of before, another --out, or --fresh to start over.",
  );
}
