/** `nutshell rl`: stage 4, reinforcement learning of a chat model. */
import { type RlConfig, rlOptions } from "../../llm/rl/config.ts";
import { type PresetName, presets } from "../../llm/rl/presets.ts";
import { renderResult } from "../../llm/rl/result.ts";
import { reinforce } from "../../llm/rl/rl.node.ts";
import { removeRun } from "../../llm/run/resume.node.ts";
import { createTalk } from "../../llm/run/talk.ts";
import { type OptionTableFor, resolveOptions } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";

interface RlValues extends RlConfig {
  preset: PresetName;
  fresh: boolean;
}

const presetNames = Object.keys(presets) as PresetName[];

const options: OptionTableFor<RlValues> = {
  preset: {
    type: "string",
    value: "tiny",
    choices: presetNames,
    doc: presetNames.map((name) => `${name}: ${presets[name].doc}`).join("; "),
  },
  fresh: {
    type: "boolean",
    value: false,
    doc: "Remove the run in --out and start over; without this the same command goes on with it.",
  },
  ...rlOptions,
};

export const command: Command<OptionTableFor<RlValues>> = defineCommand({
  name: "rl",
  summary: "stage 4: answers that are rewarded become likelier",
  example:
    "nutshell rl --model runs/out/tiny/2-sft --algorithm grpo --task steps --out runs/out/rl",
  options,
  async run(values, io, { given }) {
    const { preset, fresh, ...flags } = given;
    const layers = [
      { from: `preset ${values.preset}`, values: presets[values.preset].values },
      { from: "flags", values: flags },
    ];
    const config = resolveOptions(rlOptions, ...layers);
    if (fresh) removeRun(config.out);
    const result = await reinforce(config, createTalk(io), io.signal);
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : renderResult(result));
  },
});
