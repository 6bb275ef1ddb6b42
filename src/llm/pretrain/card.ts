/** `card.md`: from what, how, and how good, for whoever finds the model's folder. */
import { renderMixtureMarkdown } from "../data/mixture/table.ts";
import type { RunMixture } from "../data/prepare/run-mixture.ts";
import type { ModelConfig } from "../model/config.ts";
import { countParameters, flopsPerToken } from "../model/size.ts";
import { tokensPerStep } from "../run/stage-rates.ts";
import type { RunConfig } from "./complete-config.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";

export interface CardFacts {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  readonly origin: string;
  readonly mixture: RunMixture;
  readonly steps: readonly StepRecord[];
  readonly evals: readonly EvalRecord[];
  /** What it was trained on: backend, CPU. */
  readonly machine: string;
  readonly commit: string | undefined;
  readonly tokenizerHash: string;
}

export function renderCard(facts: CardFacts): string {
  const { config, model, mixture } = facts;
  const { total } = countParameters(model);
  const sections = [
    `# ${config.out.split("/").at(-1)}`,
    `A language model of ${(total / 1e6).toFixed(2)} million parameters, pretrained from random ` +
      "weights to continue text. It follows no instructions, and what it states is often untrue.",
    `## From what\n\nText from ${facts.origin}.\n\n${renderMixtureMarkdown(mixture.rows, mixture.emptySlots)}`,
    `## How\n\n${renderList(howRows(facts))}`,
    `## How good\n\n${renderQuality(facts)}`,
    `## Configuration\n\n\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\``,
  ];
  return `${sections.join("\n\n")}\n`;
}

function howRows({ config, model, steps, machine, commit, tokenizerHash }: CardFacts): string[] {
  const done = steps.at(-1)?.step ?? 0;
  const tokens = done * tokensPerStep(config);
  const seconds = steps.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const flops = (tokens * flopsPerToken(model).causalTotal).toExponential(2);
  return [
    `architecture: Llama family, ${model.nLayer} layers, ${model.nHead} heads, ` +
      `${model.nEmbd} wide, context ${model.sequenceLen}, ${model.vocabSize} tokens`,
    `${done} of ${config.steps} steps, ${tokens.toLocaleString("en-US")} tokens, ${flops} FLOPs`,
    `${config.optimizer}, ${config.schedule} schedule, ${config.precision}`,
    `${(seconds / 60).toFixed(1)} minutes of training on ${machine}`,
    `seed ${config.seed}, commit ${commit ?? "unknown"}, tokenizer ${tokenizerHash.slice(0, 16)}`,
  ];
}

function renderQuality({ evals }: CardFacts): string {
  const last = evals.at(-1);
  if (last === undefined) return "Not measured yet.";
  const rows = Object.entries(last.sources).map(([name, bpb]) => `| ${name} | ${bpb.toFixed(4)} |`);
  return [
    `Held-out text after step ${last.step}: ${last.bpb.toFixed(4)} bits per byte ` +
      `(${last.valLoss.toFixed(4)} nats per token). By source:`,
    `| source | bits per byte |\n| --- | --: |\n${rows.join("\n")}`,
  ].join("\n\n");
}

function renderList(rows: readonly string[]): string {
  return rows.map((row) => `- ${row}`).join("\n");
}
