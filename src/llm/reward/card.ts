/** `card.md`: from what, how, and how good, for whoever finds the model's folder. */
import { describeCounts } from "../tasks/row-counts.ts";
import type { RunConfig } from "./complete-config.ts";
import type { RankingOrigin } from "./load-rankings.node.ts";
import type { Histogram, Measurement } from "./measure.ts";

export interface CardFacts {
  readonly config: RunConfig;
  readonly origins: readonly RankingOrigin[];
  readonly cutPrompts: number;
  readonly lostResponses: number;
  /** The last one; absent before the first. */
  readonly held: Measurement | undefined;
  readonly step: number;
  readonly seconds: number;
  /** What it was trained on: backend, CPU. */
  readonly machine: string;
  readonly commit: string | undefined;
  readonly tokenizerHash: string;
}

export function renderCard(facts: CardFacts): string {
  const { config } = facts;
  const sections = [
    `# ${config.out.split("/").at(-1)}`,
    `A reward model: it reads a conversation and gives one number for the last answer, higher for ` +
      `answers like those that were ranked higher. Trained from ${config.model}. It knows what was ` +
      "in its rankings and nothing else: a text that it never saw may well be scored wrongly.",
    `## From what\n\n${renderOrigins(facts)}`,
    `## How\n\n${renderHow(facts)}`,
    `## How good\n\n${renderQuality(facts.held)}`,
    `## Configuration\n\n\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\``,
  ];
  return `${sections.join("\n\n")}\n`;
}

function renderOrigins({ origins, cutPrompts, lostResponses }: CardFacts): string {
  const rows = origins.map(({ name, licence, train, held, card, counts }) => {
    return `| ${name} | ${train} | ${held} | ${licence} | ${card} | ${describeCounts(counts)} |`;
  });
  const table = [
    "| source | trained on | held out | licence | what it is | rows |",
    "| --- | --: | --: | --- | --- | --- |",
    ...rows,
  ].join("\n");
  return `${table}\n\n${cutPrompts} prompts lost their beginning, ${lostResponses} answers were left out.`;
}

function renderHow(facts: CardFacts): string {
  const { config, step, seconds, machine, commit, tokenizerHash } = facts;
  return [
    `- ${step} of ${config.steps} steps of at most ${config.batchSize * config.gradAccumSteps} answers`,
    `- all pairs of a prompt, each prompt once; centring ${config.centring}, margins × ${config.margin}`,
    `- ${config.optimizer}, ${config.schedule} schedule, ${config.precision}`,
    `- ${seconds.toFixed(1)} seconds of training on ${machine}`,
    `- seed ${config.seed}, commit ${commit ?? "unknown"}, tokenizer ${tokenizerHash.slice(0, 16)}`,
  ].join("\n");
}

function renderQuality(held: Measurement | undefined): string {
  if (held === undefined) return "Not measured yet.";
  const { accuracy, low, high, prompts, pairs, lead, lengthBias, scale } = held;
  const sources = Object.entries(held.sources).map(([name, one]) => {
    return `| ${name} | ${one.accuracy.toFixed(3)} | ${one.prompts} |`;
  });
  return [
    `Ranks ${percent(accuracy)} of held-out pairs right (95 %: ${percent(low)} to ${percent(high)}; ` +
      `${pairs} pairs of ${prompts} prompts, chance 50 %). The better answer leads by ` +
      `${lead.toFixed(2)} standard deviations.`,
    `| source | accuracy | prompts |\n| --- | --: | --: |\n${sources.join("\n")}`,
    `Length: "the longer answer wins" would rank ${percent(lengthBias.longerWins)} right. Rewards ` +
      `and lengths correlate by ${maybe(lengthBias.correlation, (r) => r.toFixed(2))}. Where the ` +
      `shorter answer is better the model is right in ${maybe(lengthBias.shorterBetter, percent)}, ` +
      `where the longer one is in ${maybe(lengthBias.longerBetter, percent)}.`,
    `Rewards are (x - ${scale.mean.toFixed(4)}) / ${scale.std.toFixed(4)} of the head's numbers, ` +
      "which puts held-out reference answers (the best of each prompt) at mean 0 and standard " +
      "deviation 1. Held-out rewards, references and all others:",
    `\`\`\`\n${renderHistogram(held.histogram)}\n\`\`\``,
  ].join("\n\n");
}

/** @returns one line a bin: its lower end, then a bar for each of the two kinds */
export function renderHistogram({ low, high, better, worse }: Histogram): string {
  const most = Math.max(1, ...better, ...worse);
  const bar = (count: number): string => "█".repeat(Math.ceil((24 * count) / most));
  return better
    .map((count, bin) => {
      const from = low + ((high - low) * bin) / better.length;
      return `${from.toFixed(2).padStart(6)} | ${bar(count).padEnd(24)} | ${bar(worse[bin] as number)}`.trimEnd();
    })
    .join("\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function maybe(value: number | undefined, show: (value: number) => string): string {
  return value === undefined ? "an unknown share (none held out)" : show(value);
}
