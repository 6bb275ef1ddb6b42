/**
 * A record made by hand, of the form that a run leaves: its numbers are round, so that what a report
 * says of them can be worked out on paper.
 */
import { wilson } from "../../../src/llm/eval/intervals.ts";
import type { EvalExample, EvalReport, EvalRow } from "../../../src/llm/eval/report.ts";
import type { GrowRecord, Machine, StageRecord } from "../../../src/llm/report/record.ts";

export const machine: Machine = {
  cpu: "AMD EPYC",
  cores: 2,
  memoryGb: 23.5,
  system: "Linux 6.18 x86_64",
  node: "v24.21.0",
  backend: "C (cc), avx512bf16, 2 threads",
  peakGflops: 400,
};

/** @param right of `n`; the interval is Wilson's */
export function row(
  suite: string,
  name: string,
  right: number,
  n: number,
  more: Partial<EvalRow> = {},
): EvalRow {
  return { suite, name, ...wilson(right, n), unit: "share", seconds: 1, examples: [], ...more };
}

export function example(reply: string, grade: number): EvalExample {
  return { prompt: "What is 24 × 78?", reply, expected: "1872", grade };
}

export function evaluation(rows: EvalRow[], more: Partial<EvalReport> = {}): EvalReport {
  return {
    ...{ model: "runs/out/tiny", parameters: 2_600_000, sequenceLen: 256, form: "chat" },
    ...{ suites: ["assistant", "talk"], seed: 42, temperature: 0, samples: 1, maxRows: 100 },
    ...{ backend: machine.backend, precision: "bf16", seconds: 12, rows, replies: [], skipped: [] },
    ...more,
  };
}

const steps = (count: number, of: (step: number) => object): Record<string, unknown>[] =>
  Array.from({ length: count }, (_, i) => ({ step: i + 1, ...of(i + 1) }));

export function stage(name: StageRecord["name"], more: Partial<StageRecord> = {}): StageRecord {
  const folder = `runs/out/tiny/${name}`;
  return {
    ...{ name, folder, checkpoint: `${folder}/step-00000100`, parameters: 2_600_000 },
    ...{ steps: 100, tokens: 1_000_000, flops: 1.2e13, seconds: 200, trainSeconds: 150 },
    configuration: { seed: 42, steps: 100, lr: 0.01 },
    data: [{ name: "stories", licence: "CC0-1.0", card: "Generated here.", share: 1 }],
    ...{ result: {}, metrics: [] },
    ...more,
  };
}

const stages: readonly StageRecord[] = [
  stage("pretrain", {
    result: { val_bpb: 0.82, loss: 1.7, train_seconds: 150 },
    metrics: [
      ...steps(200, (step) => ({ loss: 1.5 + 6 / step ** 0.4 + 0.2 * Math.sin(step * 7) })),
      { step: 100, bpb: 1.2, valLoss: 2.6, sources: { stories: 0.4 } },
      { step: 200, bpb: 0.82, valLoss: 1.9, sources: { stories: 0.2 } },
      { step: 200, sample: "One day, Zoe met Hanna on the way to the school." },
    ],
  }),
  stage("sft", {
    result: { val_loss_before: 4.1, val_loss: 0.31, skipped: 0 },
    metrics: [
      { step: 0, valLoss: 4.1, sources: {} },
      ...steps(120, (step) => ({ loss: 0.3 + 3 / step + 0.05 * Math.sin(step * 5) })),
      { step: 120, valLoss: 0.31, sources: {} },
    ],
  }),
  stage("reward", {
    result: {
      ...{ accuracy: 0.91, accuracy_low: 0.86, accuracy_high: 0.94, held_prompts: 200 },
      ...{ shorter_better_accuracy: 0.45, cut_prompts: 3 },
    },
    metrics: [
      ...steps(70, (step) => ({ loss: 0.7 / (1 + step / 20), accuracy: 1 - 0.5 / (1 + step / 9) })),
      { step: 70, held: { accuracy: 0.91, low: 0.86, high: 0.94, loss: 0.2 } },
    ],
  }),
  stage("rl", {
    result: {
      passBefore: { value: 0.4, low: 0.31, high: 0.5, n: 100 },
      passAfter: { value: 0.7, low: 0.6, high: 0.78, n: 100 },
      ...{ generating: 0.7, learning: 0.25, sampledTokens: 123_456 },
    },
    metrics: steps(30, (step) => ({
      ...{ reward: 0.4 + 0.01 * step, grade: 0.4 + 0.009 * step, kl: 0.02 * step },
      ...{ entropy: 0.5 - 0.01 * step, length: 20 + (step % 5), truncated: step > 20 ? 0.1 : 0 },
      ...(step > 27 ? { warnings: [`over 20 nats a reply away: ${step}`] } : {}),
    })),
  }),
];

const WAYS = [
  ["system 1", 40],
  ["system 2", 80],
  ["tool", 99],
] as const;

/** Hundred problems each, fewer right the longer the numbers are. */
function arithmetic(share: number): EvalRow[] {
  return WAYS.flatMap(([way, right]) =>
    [1, 2, 3, 4].map((digits) => {
      const solved = Math.round((share * right) / (way === "tool" ? 1 : digits));
      return row("arithmetic", `solved: ${way}, ${digits} digits`, solved, 100);
    }),
  );
}

function model(wellFormed: number, called: number, solved: number, ways: number): EvalReport {
  const reply = solved > 50 ? '[calculator {"expression":"24*78"}]\n→ 1872\n1872.' : "It is 1752.";
  const examples = [example(reply, solved > 50 ? 1 : 0)];
  const bpb = { unit: "bits/byte", value: 0.82, low: 0.8, high: 0.84 } as const;
  const rows = [
    row("assistant", "well-formed turns", wellFormed, 100),
    row("assistant", "solved: calculator", solved, 100, { examples }),
    row("assistant", "exact call: calculator", called, 100),
    ...arithmetic(ways),
    row("core", "arc_easy", 27, 100, { chance: 0.25, dropped: 4 }),
    row("text", "stories", 1, 1, bpb),
  ];
  const replies = [
    { suite: "talk", name: "24 × 78, tool", ...example(reply, solved > 50 ? 1 : 0) },
    { suite: "talk", name: "grandma", prompt: "Act as my grandma.", reply: "I can't help. " },
  ];
  const reason = "no data folder";
  return evaluation(rows, { replies, skipped: [{ suite: "math", name: "gsm8k", reason }] });
}

export const grown: GrowRecord = {
  ...{ preset: "tiny", out: "runs/out/tiny", commit: "0123abc", seconds: 640 },
  ...{ startedAt: "2026-11-22T10:00:00.000Z", machine, stages },
  evals: { base: model(2, 0, 1, 0.1), sft: model(99, 95, 94, 0.9), rl: model(100, 97, 96, 1) },
};
