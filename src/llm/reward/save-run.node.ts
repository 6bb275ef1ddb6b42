/** What a run leaves in its folder: checkpoints that resume bit for bit, the curve, the card. */
import { SCALE_FILE } from "../inference/open-reward-model.node.ts";
import { saveCheckpoint } from "../model/checkpoint.node.ts";
import { rewardModelSpecs } from "../model/scalar-head.ts";
import { optimizerState } from "../optim/train-step.ts";
import { type DataState, sha256 } from "../run/resume.node.ts";
import { writeReport } from "../run/run-files.node.ts";
import { renderCard } from "./card.ts";
import type { Run } from "./open-run.node.ts";
import { renderRewardCurve } from "./reward-curve.ts";

/** Saves the run as it stands after `run.step` steps. @throws DISK; older checkpoints are intact */
export async function saveRun(run: Run): Promise<void> {
  const { config, model, store, step, metrics, commit, rankings, spikes } = run;
  const specs = rewardModelSpecs(model);
  const tokenizerHash = sha256(run.texts["tokenizer.json"] ?? "");
  const card = cardOf(run, tokenizerHash);
  const data: DataState = { dataHash: rankings.hash, tokenizerHash, commit, spikes };
  const optimizer = optimizerState(specs, config.optimizer).map(({ name }) => name);
  const scale = metrics.evals.at(-1)?.held.scale;
  const texts = {
    ...run.texts,
    "card.md": card,
    "metrics.jsonl": metrics.text(),
    ...(scale === undefined ? {} : { [SCALE_FILE]: `${JSON.stringify(scale)}\n` }),
  };
  const training = { state: { step, seed: config.seed, data, config }, optimizer };
  const content = { step, config: model, store, texts, specs, training };
  await saveCheckpoint(config.out, content, config.keep);
  run.savedAt = step;
  await writeReport(config.out, "card.md", card);
}

/** Draws `reward.svg`. @returns its path  @throws DISK */
export function drawCurve(run: Run): Promise<string> {
  const { config, metrics } = run;
  const title = `${config.out}: reward model over ${config.steps} steps`;
  return writeReport(
    config.out,
    "reward.svg",
    renderRewardCurve(title, metrics.steps, metrics.evals),
  );
}

function cardOf(run: Run, tokenizerHash: string): string {
  const { config, rankings, metrics, step, backend, commit } = run;
  const { origins, cutPrompts, lostResponses } = rankings;
  const seconds = metrics.steps.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  return renderCard({
    ...{ config, origins, cutPrompts, lostResponses, step, seconds, commit, tokenizerHash },
    held: metrics.evals.at(-1)?.held,
    machine: backend.description,
  });
}
