/** `card.md`: from what, how, and how good, for whoever finds the model's folder. */
import type { ModelConfig } from "../model/config.ts";
import { countParameters, flopsPerToken } from "../model/size.ts";
import { tokensPerStep } from "../run/stage-rates.ts";
import type { RunConfig } from "./complete-config.ts";
import type { SourceRow } from "./deck.ts";
import type { SftMetrics } from "./metric-records.node.ts";
import type { PackedRows } from "./pack.ts";
import { renderPacking, renderSourcesMarkdown } from "./source-table.ts";
import type { RunText } from "./text.node.ts";

export interface CardFacts {
  readonly config: RunConfig;
  readonly model: ModelConfig;
  /** The checkpoint that it began from, and the hash of its weights. */
  readonly base: string;
  readonly baseHash: string;
  readonly sources: readonly SourceRow[];
  readonly packed: PackedRows;
  readonly text: Pick<RunText, "share" | "cards"> | undefined;
  readonly metrics: Pick<SftMetrics, "steps" | "evals" | "samples">;
  readonly trainedParameters: number;
  /** What it was trained on: backend, CPU. */
  readonly machine: string;
  readonly commit: string | undefined;
  readonly tokenizerHash: string;
}

export function renderCard(facts: CardFacts): string {
  const { config, model, sources, packed } = facts;
  const millions = (countParameters(model).total / 1e6).toFixed(2);
  const sections = [
    `# ${config.out.split("/").at(-1)}`,
    `An assistant of ${millions} million parameters: a language model, trained further on ` +
      "conversations to answer and to call tools. What it states is often untrue.",
    `## From what\n\nConversations of an epoch, ${renderPacking(packed)}:\n\n${renderSourcesMarkdown(sources)}${renderText(facts)}`,
    `## How\n\n${howRows(facts)
      .map((row) => `- ${row}`)
      .join("\n")}`,
    `## How good\n\n${renderQuality(facts)}`,
    `## Configuration\n\n\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\``,
  ];
  return `${sections.join("\n\n")}\n`;
}

function renderText({ text }: CardFacts): string {
  if (text === undefined) return "";
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const rows = text.cards.map(({ name, licence, card, share }) => {
    return `- ${name}, ${percent(share)}, ${licence}: ${card}`;
  });
  return `\n\n${percent(text.share)} of the rows are text, learned in whole:\n\n${rows.join("\n")}`;
}

function howRows(facts: CardFacts): string[] {
  const { config, model, metrics, machine, commit, tokenizerHash } = facts;
  const done = metrics.steps.at(-1)?.step ?? 0;
  const tokens = done * tokensPerStep(config);
  const seconds = metrics.steps.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const flops = (tokens * flopsPerToken(model, config.sequenceLen).causalTotal).toExponential(2);
  const { loraRank: rank, loraAlpha: alpha, loraTargets } = config;
  const what =
    rank === undefined
      ? "all weights were trained"
      : `low-rank updates of rank ${rank}, alpha ${alpha}, on ${loraTargets}, added to the weights`;
  return [
    `from ${facts.base}, weights ${facts.baseHash.slice(0, 16)}`,
    `${what}: ${facts.trainedParameters.toLocaleString("en-US")} numbers`,
    "loss on the assistant's turns alone; whole conversations packed into rows, each beginning " +
      "with bos, neighbours in a row seeing one another as documents do in pretraining",
    `${done} of ${config.steps} steps, ${tokens.toLocaleString("en-US")} tokens, ${flops} FLOPs`,
    `${config.optimizer}, ${config.schedule} schedule, ${config.precision}`,
    `${(seconds / 60).toFixed(1)} minutes of training on ${machine}`,
    `seed ${config.seed}, commit ${commit ?? "unknown"}, tokenizer ${tokenizerHash.slice(0, 16)}`,
  ];
}

function renderQuality({ metrics: { evals, samples } }: CardFacts): string {
  const [first, last] = [evals[0], evals.at(-1)];
  if (first === undefined || last === undefined) return "Not measured yet.";
  const rows = Object.entries(last.sources).map(([name, loss]) => {
    return `| ${name} | ${first.sources[name]?.toFixed(4) ?? "–"} | ${loss.toFixed(4)} |`;
  });
  const said = samples.filter(({ step }) => step === samples.at(-1)?.step);
  return [
    `Held-out conversations, nats per learned token: ${first.valLoss.toFixed(4)} after step ` +
      `${first.step}, ${last.valLoss.toFixed(4)} after step ${last.step}. By source:`,
    `| source | step ${first.step} | step ${last.step} |\n| --- | --: | --: |\n${rows.join("\n")}`,
    ...(last.bpb === undefined
      ? []
      : [
          `Held-out text, bits per byte: ${first.bpb?.toFixed(4) ?? "–"}, then ${last.bpb.toFixed(4)}.`,
        ]),
    ...(said.length === 0 ? [] : [said.map(({ sample }) => `    ${sample}`).join("\n")]),
  ].join("\n\n");
}
