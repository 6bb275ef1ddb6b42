/** `nutshell rl`: stage 4, reinforcement learning of a chat model. */
import { type RlConfig, rlOptions } from "../../llm/rl/config.ts";
import { presets } from "../../llm/rl/presets.ts";
import { renderResult } from "../../llm/rl/result.ts";
import { reinforce } from "../../llm/rl/rl.node.ts";
import type { PresetName } from "../../llm/run/preset.ts";
import { createTalk } from "../../llm/run/talk.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { presetRow, readStageValues, type StageFlags, stageFlags } from "../stage/stage-values.ts";

interface Values extends StageFlags, RlConfig {
  preset: PresetName;
}

export const command: Command<OptionTableFor<Values>> = defineCommand({
  name: "rl",
  summary: "stage 4: answers that are rewarded become likelier",
  example:
    "nutshell rl --model runs/out/tiny/2-sft --algorithm grpo --task steps --out runs/out/rl",
  options: { preset: presetRow(presets, "tiny"), ...stageFlags, ...rlOptions },
  async run({ preset: name }, io, { given }) {
    const talk = createTalk(io);
    const preset = { name, ...presets[name] };
    const request = { command: "rl", table: rlOptions, preset, given };
    const config = await readStageValues<RlConfig>(request, talk);
    const result = await reinforce(config, talk, io.signal);
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : renderResult(result));
  },
});
