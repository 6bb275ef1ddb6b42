/** What a run leaves in its folder: checkpoints that resume bit for bit, the curve, the card. */
import type { Store } from "../../compute/backend.ts";
import { renderChatFiles } from "../chat/hugging-face.ts";
import { saveCheckpoint } from "../model/checkpoint.node.ts";
import { sha256 } from "../run/resume.node.ts";
import { writeReport } from "../run/run-files.node.ts";
import { renderCard } from "./card.ts";
import { renderLossCurve } from "./loss-curve.ts";
import type { Run, SftDataState } from "./open-run.node.ts";
import { saveAdapter } from "./save-adapter.node.ts";
import { loraOf, type Trainee } from "./trainee.ts";

/** Saves the run as it stands after `run.step` steps. @throws DISK; older checkpoints are intact */
export async function saveRun(run: Run): Promise<void> {
  const { config, model, trainee, step, metrics, tokenizerJson, commit, spikes } = run;
  await trainee.refresh();
  const tokenizerHash = sha256(tokenizerJson);
  const card = renderCard({ ...run, tokenizerHash, machine: run.backend.description });
  const { dataHash, baseHash } = run;
  const data: SftDataState = { dataHash, baseHash, tokenizerHash, commit, spikes };
  const texts = {
    "tokenizer.json": tokenizerJson,
    ...renderChatFiles(run.tokenizer, model.sequenceLen),
    "card.md": card,
    "metrics.jsonl": metrics.text(),
  };
  const optimizer = trainee.state.map(({ name }) => name);
  const training = { state: { step, seed: config.seed, data, config }, optimizer };
  const store = storeOfBoth(trainee);
  const lora = loraOf(config);
  // First, since a run whose last checkpoint is there is not saved again.
  if (lora !== undefined && run.addedMarks.length === 0) await saveAdapter(run, lora);
  run.checkpoint = await saveCheckpoint(
    config.out,
    { step, config: model, store, texts, training },
    config.keep,
  );
  run.savedAt = step;
  await writeReport(config.out, "card.md", card);
}

/** Parameters as they count, optimizer states as they train; to be read only. */
function storeOfBoth({ store, served, state }: Trainee): Store {
  if (store === served) return store;
  const trained = new Set(state.map(({ name }) => name));
  const of = (name: string): Store => (trained.has(name) ? store : served);
  return { ...served, type: (name) => of(name).type(name), read: (name) => of(name).read(name) };
}

/** Draws `loss.svg`. @returns its path  @throws DISK */
export function drawCurve(run: Run): Promise<string> {
  const { config, metrics } = run;
  const title = `${config.out}: loss over ${config.steps} steps`;
  return writeReport(config.out, "loss.svg", renderLossCurve(title, metrics.steps, metrics.evals));
}
