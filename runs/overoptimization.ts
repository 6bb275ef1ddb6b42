/**
 * `npm run experiment:overoptimization`: Goodhart's law on a laptop. A program is the reward that
 * is really wanted (gold). A reward model learns from rankings that follow it (proxy), and a policy
 * is optimised for the proxy, by best-of-n and by PPO. At first gold rises with the proxy; then the
 * policy finds what the proxy does not know, and gold falls while the proxy goes on rising.
 *
 * @see Gao, Schulman, Hilton 2022, "Scaling laws for reward model overoptimization"
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Command, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { replaceFile } from "../src/durable-file.node.ts";
import { stageOptions } from "../src/llm/run/stage-options.ts";
import { createTalk } from "../src/llm/run/talk.ts";
import { inRange, type OptionTableFor } from "../src/options.ts";
import { bestOfNPart } from "./overoptimization/best-of-n.ts";
import { pretrainPart, rankingsPart, rewardPart, sftPart } from "./overoptimization/parts.ts";
import { type ExperimentValues, planExperiment } from "./overoptimization/plan.ts";
import { ppoPart, removeMeasured } from "./overoptimization/ppo.ts";
import {
  type Found,
  recordOf,
  renderExperimentPicture,
  renderFields,
  renderSummary,
} from "./overoptimization/report.ts";
import { openParts } from "./overoptimization/run-parts.ts";

interface Values extends ExperimentValues {
  fresh: boolean;
}

const options: OptionTableFor<Values> = {
  model: { ...stageOptions.model, doc: "A pretrained model to start from; absent: makes its own." },
  out: { ...stageOptions.out, value: "runs/out/overoptimization", doc: "Folder of all parts." },
  quick: { type: "boolean", value: false, doc: "A few minutes; the curve is coarser." },
  rankings: {
    type: "integer?",
    value: undefined,
    doc: "Prompts whose ranked replies the proxy learns from; fewer make a worse proxy. Absent: 300.",
    check: inRange(8, 100_000),
  },
  noise: {
    type: "number",
    value: 0,
    doc: "Noise of the rankings, in standard deviations of gold.",
    check: inRange(0, 100),
  },
  kl: {
    type: "string",
    value: "0",
    placeholder: "WEIGHTS",
    doc: "KL penalties of PPO, joined by commas; one run each.",
    check: (text) =>
      text.split(",").every((part) => part.trim() !== "" && Number(part) >= 0)
        ? undefined
        : "must be numbers of 0 or more, joined by commas",
  },
  seed: stageOptions.seed,
  backend: stageOptions.backend,
  threads: stageOptions.threads,
  fresh: { type: "boolean", value: false, doc: "Remove what lies in --out and start over." },
};

const command: Command<OptionTableFor<Values>> = defineCommand({
  name: "overoptimization",
  start: "npm run experiment:overoptimization --",
  summary: "gold reward rises and falls while a policy is optimised for a learned proxy",
  example: "npm run experiment:overoptimization -- --quick",
  options,
  async run({ fresh, ...values }, io) {
    const talk = createTalk(io);
    await mkdir(values.out, { recursive: true });
    const plan = planExperiment(values);
    const parts = await openParts(plan, fresh, talk, io.signal);
    await parts.run("pretrain", "a small model that continues stories", pretrainPart);
    await parts.run("sft", "it learns to tell a story about somebody", sftPart);
    const rankings = await parts.run("rankings", "gold orders its replies", rankingsPart);
    const reward = await parts.run("reward", "a proxy learns from the order alone", rewardPart);
    const bestOfN = await parts.run("best-of-n", "many replies, the proxy chooses", bestOfNPart);
    const ppo = [];
    for (const weight of plan.klWeights) {
      const story = "the policy learns to please the proxy";
      ppo.push(await parts.run(`ppo-kl-${weight}`, story, ppoPart(weight)));
      await removeMeasured(plan.ppo(weight).out);
    }
    const found: Found = { values, seconds: parts.seconds, rankings, reward, bestOfN, ppo };
    const record = recordOf(found);
    const file = (name: string): string => join(values.out, name);
    await replaceFile(file("overoptimization.json"), `${JSON.stringify(record, null, 2)}\n`);
    await replaceFile(file("overoptimization.svg"), renderExperimentPicture(record));
    await replaceFile(file("overoptimization.md"), renderSummary(record, found));
    talk.say(`\nthe picture and the samples: ${file("overoptimization.md")}`);
    io.stdout(io.json ? `${JSON.stringify(record)}\n` : renderFields(record));
  },
});

await runProgram(command);
