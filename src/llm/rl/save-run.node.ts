/** What a run leaves in its folder: checkpoints that resume bit for bit, the curve, the card. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "../../durable-file.node.ts";
import { renderChatFiles } from "../chat/hugging-face.ts";
import { saveCheckpoint } from "../model/checkpoint.node.ts";
import { sha256 } from "../run/resume.node.ts";
import { renderCard } from "./card.ts";
import { type RlDataState, type Run, trainingState } from "./open-run.node.ts";
import { renderRewardCurve } from "./reward-curve.ts";

/** Saves the run as it stands after `run.step` steps. @throws DISK; older checkpoints are intact */
export async function saveRun(run: Run): Promise<void> {
  const { config, model, store, step, metrics, tokenizer, tokenizerJson, commit } = run;
  const tokenizerHash = sha256(tokenizerJson);
  const { steps, evals } = metrics;
  const machine = run.backend.description;
  const card = renderCard({ config, steps, evals, machine, commit, tokenizerHash });
  const data: RlDataState = {
    ...{ dataHash: run.dataHash, startHash: run.startHash, tokenizerHash, commit },
    ...run.learning,
  };
  const texts = {
    "tokenizer.json": tokenizerJson,
    ...renderChatFiles(tokenizer, model.sequenceLen),
    "card.md": card,
    "metrics.jsonl": metrics.text(),
  };
  const optimizer = trainingState(model, config).map(({ name }) => name);
  const training = { state: { step, seed: config.seed, data, config }, optimizer };
  await saveCheckpoint(config.out, { step, config: model, store, texts, training }, config.keep);
  run.savedAt = step;
  await writeReport(run, "card.md", card);
}

/** Draws `reward.svg`. @returns its path  @throws DISK */
export function drawCurve(run: Run): Promise<string> {
  const { config, metrics } = run;
  const title = `${config.out}: ${config.algorithm} on ${config.task}, ${config.steps} steps`;
  return writeReport(run, "reward.svg", renderRewardCurve(title, metrics.steps, metrics.evals));
}

async function writeReport({ config }: Run, name: string, body: string): Promise<string> {
  const path = join(config.out, name);
  try {
    await writeFile(path, body);
  } catch (error) {
    throw diskError(path, error, "The last checkpoint is intact. Then resume.");
  }
  return path;
}
