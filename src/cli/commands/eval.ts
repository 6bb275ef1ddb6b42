/** `nutshell eval`: what a model can do, measured, with error bars. */
import { type EvalConfig, evalOptions } from "../../llm/eval/config.ts";
import { evaluate } from "../../llm/eval/evaluate.node.ts";
import { renderReport } from "../../llm/eval/render.ts";
import { createTalk } from "../../llm/run/talk.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";

const EXAMPLE = "nutshell eval --suite assistant,talk --model models/kernel";

export const command: Command<OptionTableFor<EvalConfig>> = defineCommand({
  name: "eval",
  summary: "what a model can do: suites of questions, with error bars",
  example: EXAMPLE,
  options: evalOptions,
  async run(values, io) {
    const talk = createTalk(io);
    try {
      const report = await evaluate(values, talk, io.signal);
      talk.status("");
      io.stdout(io.json ? `${JSON.stringify(report)}\n` : renderReport(report));
    } catch (error) {
      if (io.signal.aborted && error === io.signal.reason) return;
      throw error;
    }
  },
});
