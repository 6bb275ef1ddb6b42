/** `nutshell reward`: stage 3, a reward model from rankings. */
import { type RewardConfig, rewardOptions } from "../../llm/reward/config.ts";
import { presets } from "../../llm/reward/presets.ts";
import { renderResult } from "../../llm/reward/result.ts";
import { trainReward } from "../../llm/reward/reward.node.ts";
import type { PresetName } from "../../llm/run/preset.ts";
import { createTalk } from "../../llm/run/talk.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { presetRow, readStageValues, type StageFlags, stageFlags } from "../stage/stage-values.ts";

interface Values extends StageFlags, RewardConfig {
  preset: PresetName;
}

export const command: Command<OptionTableFor<Values>> = defineCommand({
  name: "reward",
  summary: "stage 3: a reward model from rankings of answers",
  example: "nutshell reward --preset tiny --model runs/out/tiny/2-sft --out runs/out/reward",
  options: { preset: presetRow(presets, "laptop"), ...stageFlags, ...rewardOptions },
  async run({ preset: name }, io, { given }) {
    const talk = createTalk(io);
    const preset = { name, ...presets[name] };
    const request = { command: "reward", table: rewardOptions, preset, given };
    const config = await readStageValues<RewardConfig>(request, talk);
    const result = await trainReward(config, talk, io.signal);
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : renderResult(result));
  },
});
