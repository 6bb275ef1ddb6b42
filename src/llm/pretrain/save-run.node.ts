/** What a run leaves in its folder: checkpoints that resume bit for bit, the curve, the card. */
import { saveCheckpoint } from "../model/checkpoint.node.ts";
import { parameterSpecs } from "../model/parameters.ts";
import { optimizerState } from "../optim/train-step.ts";
import { type DataState, sha256 } from "../run/resume.node.ts";
import { writeReport } from "../run/run-files.node.ts";
import { renderCard } from "./card.ts";
import { renderLossCurve } from "./loss-curve.ts";
import type { Run } from "./open-run.node.ts";

/** Saves the run as it stands after `run.step` steps. @throws DISK; older checkpoints are intact */
export async function saveRun(run: Run): Promise<void> {
  const { config, model, store, step, metrics, tokenizerJson, commit } = run;
  const tokenizerHash = sha256(tokenizerJson);
  const card = cardOf(run, tokenizerHash);
  const data: DataState = { dataHash: run.data.hash, tokenizerHash, commit, spikes: run.spikes };
  const optimizer = optimizerState(parameterSpecs(model), config.optimizer).map(({ name }) => name);
  const texts = {
    "tokenizer.json": tokenizerJson,
    "card.md": card,
    "metrics.jsonl": metrics.text(),
  };
  const training = { state: { step, seed: config.seed, data, config }, optimizer };
  await saveCheckpoint(config.out, { step, config: model, store, texts, training }, config.keep);
  run.savedAt = step;
  await writeReport(config.out, "card.md", card);
}

/** Draws `loss.svg`. @returns its path  @throws DISK */
export function drawCurve(run: Run): Promise<string> {
  const { config, metrics } = run;
  const title = `${config.out}: loss over ${config.steps} steps`;
  return writeReport(config.out, "loss.svg", renderLossCurve(title, metrics.steps, metrics.evals));
}

function cardOf(run: Run, hash: string): string {
  const { config, model, data, mixture, metrics, backend, commit } = run;
  const { origin } = data.manifest;
  const { steps, evals } = metrics;
  const machine = backend.description;
  return renderCard({
    config,
    model,
    origin,
    mixture,
    steps,
    evals,
    machine,
    commit,
    tokenizerHash: hash,
  });
}
