/**
 * Everything that the loop needs, in the order in which it can fail: the model, what is on disk,
 * backend, conversations, configuration, programs. A resumed run is put exactly where it was saved.
 */
import { join } from "node:path";
import type { Backend, Store } from "../../compute/backend.ts";
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import { NutshellError } from "../../error.ts";
import { dataHash, type PreparedFolder } from "../data/shards/prepared-folder.node.ts";
import { createGenerator, type TokenGenerator } from "../inference/generator.ts";
import type { ModelConfig } from "../model/config.ts";
import { initialiseLora } from "../model/lora.ts";
import { bestPrecision } from "../model/transformer.ts";
import { compileTrainStep, type TrainStep } from "../optim/compile-train-step.ts";
import type { Evaluator } from "../run/held-out.ts";
import { hashWeights, type OpenModel, openModel } from "../run/open-model.node.ts";
import {
  type DataState,
  findResumePoint,
  type ResumePoint,
  requireSameConfig,
  requireSameData,
  sha256,
  tryReadCommit,
} from "../run/resume.node.ts";
import { makeFolder } from "../run/run-files.node.ts";
import { createSpikeState, type SpikeState } from "../run/spike-guard.ts";
import { optimizerOptionsOf, renderStageConfig } from "../run/stage-rates.ts";
import type { Talk } from "../run/talk.ts";
import { BOS } from "../tokenizer/tokenizer.ts";
import { addMarks, growParameters, type MarkedModel } from "./add-marks.ts";
import { completeConfig, type RunConfig, rowLength } from "./complete-config.ts";
import { type SftConfig, sftFreeKeys } from "./config.ts";
import { type Deck, describeSources, packEpoch, type SourceRow } from "./deck.ts";
import { type GatheredSource, gatherConversations, hashConversations } from "./gather.node.ts";
import { compileHeldOut, type HeldOutEvaluator } from "./held-out.ts";
import { openSftMetrics, type SftMetrics } from "./metric-records.node.ts";
import type { PackedRows } from "./pack.ts";
import { createRowSampler, type RowSampler } from "./sampler.ts";
import { renderPacking, renderSources } from "./source-table.ts";
import { findSupplies } from "./sources.node.ts";
import { compileTextEvaluator, openText, planText, type RunText } from "./text.node.ts";
import { loraOf, type Trainee, trainAll, trainUpdates } from "./trainee.ts";

export interface Run extends AsyncDisposable {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly tokenizer: OpenModel["tokenizer"];
  readonly tokenizerJson: string;
  /** Marks that the model's vocabulary had not; empty for a model that had them all. */
  readonly addedMarks: readonly string[];
  /** The folder and the hash of the weights that the run began with. */
  readonly base: string;
  readonly baseHash: string;
  readonly dataHash: string;
  readonly sources: readonly SourceRow[];
  readonly packed: PackedRows;
  readonly conversations: number;
  readonly sampler: RowSampler;
  readonly backend: Backend;
  readonly trainee: Trainee;
  readonly trainedParameters: number;
  readonly trainStep: TrainStep;
  readonly evaluator: HeldOutEvaluator;
  /** Rows of text and how well its held-out side is foretold; absent without a share of text. */
  readonly text: RunText | undefined;
  readonly textEvaluator: Evaluator | undefined;
  readonly generator: TokenGenerator;
  readonly metrics: SftMetrics;
  readonly spikes: SpikeState;
  readonly commit: string | undefined;
  /** The step of the checkpoint that was loaded; absent for a new run. */
  readonly resumedAt: number | undefined;
  /** Steps done. */
  step: number;
  /** Steps done when the last checkpoint was saved, and its folder. */
  savedAt: number | undefined;
  checkpoint: string | undefined;
}

/** What a checkpoint keeps of where it came from. */
export interface SftDataState extends DataState {
  /** SHA-256 of the weights that the run began with. */
  readonly baseHash: string;
}

type Resume = ResumePoint<RunConfig, SftDataState>;

/** What is read before anything is compiled. */
interface Material {
  readonly opened: OpenModel;
  readonly marked: MarkedModel;
  readonly baseHash: string;
  readonly gathered: readonly GatheredSource[];
  readonly deck: Deck;
  readonly prepared: PreparedFolder | undefined;
  readonly resume: Resume | undefined;
}

/** @throws what is wrong with files, data or configuration; the signal's reason when aborted */
export async function openRun(asked: SftConfig, talk: Talk, signal: AbortSignal): Promise<Run> {
  const opened = await openModel(requireModel(asked));
  const { config, folder } = opened.checkpoint;
  const marked = addMarks(opened, config, join(folder, "tokenizer.json"));
  const { added, model } = marked;
  if (added.length > 0)
    talk.say(`${added.length} marks of conversations added to ${folder}: ${model.vocabSize} rows`);
  if (added.length > 0 && asked.loraRank !== undefined)
    talk.say("no adapter is written beside the checkpoints: the base model lacks the added rows");
  const prepared = openText(asked, opened);
  await makeFolder(asked.out);
  const resume = await findResumePoint<RunConfig, SftDataState>(asked.out, talk);
  const backend = await chooseBackend(asked.backend, asked, (line) => talk.say(line));
  talk.say(`computing with ${backend.description}`);
  try {
    const rowTokens = rowLength(asked, model) + 1;
    const supplies = findSupplies(asked);
    const options = { ...asked, rowTokens };
    const { tokenizer } = marked;
    const gathered = await gatherConversations(supplies, tokenizer, options, talk, signal);
    const deck = packEpoch(gathered, rowTokens, asked.seed);
    const baseHash = await hashWeights(opened);
    return await assemble(
      asked,
      backend,
      { opened, marked, baseHash, gathered, deck, prepared, resume },
      talk,
    );
  } catch (error) {
    backend.dispose();
    prepared?.[Symbol.dispose]();
    throw error;
  }
}

function requireModel({ model }: SftConfig): string {
  if (model !== undefined) return model;
  throw new NutshellError(
    "USAGE",
    "sft: needs a model to start from, got none. Write --model runs/out/tiny/1-pretrain.",
  );
}

async function assemble(
  asked: SftConfig,
  backend: Backend,
  material: Material,
  talk: Talk,
): Promise<Run> {
  const { opened, marked, baseHash, gathered, deck, prepared, resume } = material;
  const { tokenizer, tokenizerJson, model } = marked;
  const { checkpoint } = opened;
  const config = completeConfig(asked, model, deck.packed.rows, bestPrecision(backend));
  const hash = hashAll(gathered, prepared);
  if (resume !== undefined) requireSameRun(config, resume, hash, baseHash);
  const sources = describeSources(gathered);
  talk.say(renderStageConfig(config));
  const text = prepared === undefined ? undefined : planText(prepared, config);
  talk.say(`conversations of an epoch\n${renderSources(sources)}\n  ${renderPacking(deck.packed)}`);
  const trainee = await createTrainee(backend, material, config);
  talk.status("compiling the step");
  const { batchSize, gradAccumSteps, precision } = config;
  const options = optimizerOptionsOf(config);
  const { store, served, objective, trainedParameters } = trainee;
  const trainStep = await compileTrainStep(backend, store, objective, options, gradAccumSteps);
  const bos = tokenizer.special(BOS);
  const learned = sources.map((source) => source.learned);
  const evaluator = await compileHeldOut(backend, served, model, config, gathered, learned, bos);
  const textEvaluator =
    text && (await compileTextEvaluator(backend, served, model, config, text, tokenizer));
  const generator = createGenerator(backend, served, model, { precision });
  return {
    ...{ config, model, tokenizer, tokenizerJson, baseHash, sources, backend, trainee },
    dataHash: hash,
    ...{ trainedParameters, trainStep, evaluator, generator, base: checkpoint.folder },
    ...{ text, textEvaluator },
    addedMarks: marked.added,
    packed: deck.packed,
    conversations: deck.packed.items.length,
    sampler: createRowSampler({ ...deck, seed: config.seed, batchSize, gradAccumSteps, bos, text }),
    metrics: openSftMetrics(config.out, resume?.metrics ?? ""),
    spikes: resume?.data.spikes ?? createSpikeState(),
    commit: tryReadCommit(),
    resumedAt: resume?.step,
    step: resume?.step ?? 0,
    savedAt: resume?.step,
    checkpoint: resume?.checkpoint.folder,
    async [Symbol.asyncDispose]() {
      // Programs point into the stores, and all of them into the backend.
      for (const owned of [trainStep, evaluator, textEvaluator, generator, trainee, backend])
        await owned?.dispose();
      prepared?.[Symbol.dispose]();
    },
  };
}

/** Of everything that training draws from. */
function hashAll(
  gathered: readonly GatheredSource[],
  prepared: PreparedFolder | undefined,
): string {
  const conversations = hashConversations(gathered);
  return prepared ? sha256(`${conversations} ${dataHash(prepared.manifest)}`) : conversations;
}

/** Weights where they begin, or where a run was saved. */
async function createTrainee(
  backend: Backend,
  material: Material,
  config: RunConfig,
): Promise<Trainee> {
  const { resume } = material;
  const { model } = material.marked;
  const store = backend.createStore();
  const lora = loraOf(config);
  // A checkpoint holds the sums; what lies under the updates is the base model.
  if (resume !== undefined && lora === undefined) await resume.checkpoint.loadParameters(store);
  else await loadBase(backend, store, material, config.seed);
  if (lora !== undefined) await initialiseLora(store, model, lora, config.seed);
  const trainee =
    lora === undefined
      ? trainAll(store, model, config)
      : await trainUpdates(backend, store, model, config, lora);
  await resume?.checkpoint.loadOptimizer(store, trainee.state);
  return trainee;
}

async function loadBase(
  backend: Backend,
  store: Store,
  { opened: { checkpoint, tokenizer }, marked }: Material,
  seed: number,
): Promise<void> {
  if (marked.added.length === 0) return checkpoint.loadParameters(store);
  const before = backend.createStore();
  await checkpoint.loadParameters(before);
  await growParameters(before, store, marked.model, tokenizer.vocabSize, seed);
  before.dispose();
}

/** @throws CONFIG, DATA, CHECKPOINT when the run in `out` is another one */
function requireSameRun(
  config: RunConfig,
  resume: Resume,
  dataHash: string,
  baseHash: string,
): void {
  requireSameConfig(config.out, resume.config, config, sftFreeKeys);
  requireSameData(config.out, resume.data, dataHash);
  if (resume.data.baseHash === baseHash) return;
  throw new NutshellError(
    "CHECKPOINT",
    `${config.out}: a resumed run must begin from the model of before, got weights ` +
      `${baseHash.slice(0, 12)}… where it has ${resume.data.baseHash.slice(0, 12)}…. ` +
      "Pass the --model of before, another --out, or --fresh to start over.",
  );
}
