/** `nutshell sft`: stage 2, an assistant from a language model and conversations. */
import { NutshellError } from "../../error.ts";
import type { PresetName } from "../../llm/run/preset.ts";
import { createTalk } from "../../llm/run/talk.ts";
import { type SftConfig, sftOptions } from "../../llm/sft/config.ts";
import { sftPresets } from "../../llm/sft/presets.ts";
import { renderSftResult } from "../../llm/sft/result.ts";
import { sft } from "../../llm/sft/sft.node.ts";
import { suggestName } from "../../nearest-name.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { type InspectFlags, inspectConversations, inspectFlags } from "../sft/inspect.ts";
import { presetRow, readStageValues, type StageFlags, stageFlags } from "../stage/stage-values.ts";

interface SftValues extends StageFlags, InspectFlags, SftConfig {
  preset: PresetName;
}

const options: OptionTableFor<SftValues> = {
  preset: presetRow(sftPresets, "laptop"),
  ...stageFlags,
  ...inspectFlags,
  ...sftOptions,
};

type Action = (config: SftConfig, values: SftValues, io: CommandIo) => Promise<void>;

const actions: Readonly<Record<string, Action>> = { train, inspect: inspectConversations };

export const command: Command<OptionTableFor<SftValues>> = defineCommand({
  name: "sft",
  summary: "stage 2: an assistant from a language model and conversations",
  example: "nutshell sft --preset tiny --model runs/out/tiny/1-pretrain --out runs/out/tiny/2-sft",
  positionals: [{ name: "ACTION", doc: "train (absent: this one) or inspect.", required: false }],
  options,
  async run(values, io, { given, positionals: [name = "train"] }) {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const hint = suggestName(name, Object.keys(actions));
      throw new NutshellError("USAGE", `sft: no action "${name}". ${hint}`);
    }
    const { n: _, task: __, ...own } = given;
    const preset = { name: values.preset, ...sftPresets[values.preset] };
    const request = { command: "sft", table: sftOptions, preset, given: own };
    const config = await readStageValues<SftConfig>(request, createTalk(io));
    await action(config, values, io);
  },
});

async function train(config: SftConfig, _: SftValues, io: CommandIo): Promise<void> {
  const result = await sft(config, createTalk(io), io.signal);
  io.stdout(io.json ? `${JSON.stringify(result)}\n` : renderSftResult(result));
}
