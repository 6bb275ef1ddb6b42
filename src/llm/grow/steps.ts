/** What each step of the story does. Every stage is called as its own command calls it. */
import { evaluate } from "../eval/evaluate.node.ts";
import { pretrain } from "../pretrain/pretrain.node.ts";
import { trainReward } from "../reward/reward.node.ts";
import { reinforce } from "../rl/rl.node.ts";
import type { Talk } from "../run/talk.ts";
import { sft } from "../sft/sft.node.ts";
import type { GrowPlan } from "./plan.ts";
import type { StepName } from "./state.node.ts";

export interface Step {
  /** One line for people. */
  readonly story: string;
  /** @returns the step's result, as its own command prints it */
  run(plan: GrowPlan, talk: Talk, signal: AbortSignal): Promise<object>;
}

/** The language models that are measured beside each other, and the stage that made each. */
export const measuredModels = { base: "pretrain", sft: "sft", rl: "rl" } as const;

export const steps: Readonly<Record<StepName, Step>> = {
  pretrain: {
    story: "from raw text to its own tokens, and a model that continues text",
    run: (plan, talk, signal) => pretrain(plan.pretrain, talk, signal),
  },
  sft: {
    story: "the same weights learn to answer, from conversations",
    run: (plan, talk, signal) => sft(plan.sft, talk, signal),
  },
  reward: {
    story: "a second model learns from rankings which answers people like",
    run: (plan, talk, signal) => trainReward(plan.reward, talk, signal),
  },
  rl: {
    story: "the assistant tries, a program checks, what worked becomes likelier",
    run: (plan, talk, signal) => reinforce(plan.rl, talk, signal),
  },
  eval: { story: "base, SFT and RL model on problems none of them has seen", run: measure },
};

async function measure(plan: GrowPlan, talk: Talk, signal: AbortSignal): Promise<object> {
  const reports: Record<string, object> = {};
  for (const [name, stage] of Object.entries(measuredModels)) {
    talk.say(`\n${name}: ${plan[stage].out}`);
    reports[name] = await evaluate({ ...plan.evals, model: plan[stage].out }, talk, signal);
    if (signal.aborted) break;
  }
  return reports;
}
