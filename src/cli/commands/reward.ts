/** `nutshell reward`: stage 3, a reward model from rankings. */
import { type RewardConfig, rewardOptions } from "../../llm/reward/config.ts";
import { type PresetName, presets } from "../../llm/reward/presets.ts";
import { renderResult } from "../../llm/reward/result.ts";
import { trainReward } from "../../llm/reward/reward.node.ts";
import { removeRun } from "../../llm/run/resume.node.ts";
import { createTalk } from "../../llm/run/talk.ts";
import { type OptionTableFor, resolveOptions } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";

interface RewardValues extends RewardConfig {
  preset: PresetName;
  fresh: boolean;
}

const presetNames = Object.keys(presets) as PresetName[];

const options: OptionTableFor<RewardValues> = {
  preset: {
    type: "string",
    value: "laptop",
    choices: presetNames,
    doc: presetNames.map((name) => `${name}: ${presets[name].doc}`).join("; "),
  },
  fresh: {
    type: "boolean",
    value: false,
    doc: "Remove the run in --out and start over; without this the same command goes on with it.",
  },
  ...rewardOptions,
};

export const command: Command<OptionTableFor<RewardValues>> = defineCommand({
  name: "reward",
  summary: "stage 3: a reward model from rankings of answers",
  example: "nutshell reward --preset tiny --model runs/out/tiny/2-sft --out runs/out/reward",
  options,
  async run(values, io, { given }) {
    const { preset, fresh, ...flags } = given;
    const layers = [
      { from: `preset ${values.preset}`, values: presets[values.preset].values },
      { from: "flags", values: flags },
    ];
    const config = resolveOptions(rewardOptions, ...layers);
    if (fresh) removeRun(config.out);
    const result = await trainReward(config, createTalk(io), io.signal);
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : renderResult(result));
  },
});
