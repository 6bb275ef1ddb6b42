/** `card.md`: from what, how, and how good, for whoever finds the model's folder. */
import type { RunConfig } from "./complete-config.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";
import { renderPassRate, stepMs } from "./result.ts";

export interface CardFacts {
  readonly config: RunConfig;
  readonly steps: readonly StepRecord[];
  readonly evals: readonly EvalRecord[];
  /** What it was trained on: backend, CPU. */
  readonly machine: string;
  readonly commit: string | undefined;
  readonly tokenizerHash: string;
}

export function renderCard(facts: CardFacts): string {
  const { config } = facts;
  const sections = [
    `# ${config.out.split("/").at(-1)}`,
    `A chat model, trained on by reinforcement learning (${config.algorithm}) from ` +
      `${config.model}. It was rewarded for one thing, named below; what else it could do may ` +
      "have changed.",
    `## From what\n\n${renderList(sourceRows(config))}`,
    `## How\n\n${renderList(howRows(facts))}`,
    `## How good\n\n${renderQuality(facts)}`,
    `## Configuration\n\n\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\``,
  ];
  return `${sections.join("\n\n")}\n`;
}

const rewarders: Readonly<Record<RunConfig["reward"], string>> = {
  program: "a program that checks the answer",
  model: "a reward model",
  both: "a program and a reward model",
};

function sourceRows({ task, reward, rewardModel, model }: RunConfig): string[] {
  const judge = rewardModel === undefined ? "" : ` (${rewardModel})`;
  return [
    `start model and reference: ${model}`,
    `problems: ${task}, drawn without end from their training side`,
    `reward: ${rewarders[reward]}${judge}`,
  ];
}

function howRows({ config, steps, machine, commit, tokenizerHash }: CardFacts): string[] {
  const sum = (read: (record: StepRecord) => number): number =>
    steps.reduce((total, record) => total + read(record), 0);
  const tokens = sum(({ sampledTokens }) => sampledTokens).toLocaleString("en-US");
  const minutes = (sum(stepMs) / 60_000).toFixed(1);
  return [
    `${steps.length} of ${config.steps} steps of ${config.promptsPerStep} prompts × ` +
      `${config.samplesPerPrompt} samples, ${tokens} sampled tokens`,
    `${config.optimizer}, ${config.schedule} schedule, ${config.precision}, KL weight ${config.kl}`,
    `${minutes} minutes on ${machine}`,
    `seed ${config.seed}, commit ${commit ?? "unknown"}, tokenizer ${tokenizerHash.slice(0, 16)}`,
  ];
}

function renderQuality({ steps, evals }: CardFacts): string {
  const [first, last] = [evals[0], evals.at(-1)];
  if (first === undefined || last === undefined) return "Not measured yet.";
  const kl = steps.at(-1)?.kl.toFixed(3) ?? "0";
  const rows = [first, last].map(({ step, pass }) => `| ${step} | ${renderPassRate(pass)} |`);
  return [
    "Share of held-out problems solved by one sampled reply, with the interval of 95 %:",
    `| after step | pass@1 |\n| --: | --- |\n${rows.join("\n")}`,
    `KL to the start model: ${kl} nats a reply.`,
  ].join("\n\n");
}

function renderList(rows: readonly string[]): string {
  return rows.map((row) => `- ${row}`).join("\n");
}
