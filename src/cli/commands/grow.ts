/** `nutshell grow`: the first half of the talk in one command, from raw text to a report card. */
import { type GrowConfig, growOptions } from "../../llm/grow/config.ts";
import { grow } from "../../llm/grow/grow.node.ts";
import { removeGrown } from "../../llm/grow/state.node.ts";
import { reportJson } from "../../llm/report/json.ts";
import { createTalk } from "../../llm/run/talk.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { renderGrown } from "../grow/summary.ts";

interface GrowValues extends GrowConfig {
  fresh: boolean;
}

export const command: Command<OptionTableFor<GrowValues>> = defineCommand({
  name: "grow",
  summary: "from raw text to an assistant: every stage, its evals and a report card",
  example: "nutshell grow --preset tiny --out runs/out/tiny",
  options: {
    ...growOptions,
    fresh: { type: "boolean", value: false, doc: "Remove what was grown in --out and start over." },
  },
  async run(values, io) {
    const { fresh, ...config } = values;
    if (fresh) await removeGrown(config.out);
    const record = await grow(config, createTalk(io), io.signal);
    if (record === undefined) return;
    io.stdout(io.json ? `${JSON.stringify(reportJson(record))}\n` : renderGrown(record));
  },
});
