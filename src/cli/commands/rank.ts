/** `nutshell rank`: a person orders sampled answers; the result is data for a reward model. */
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { type RankValues, rankOptions } from "../rank/options.ts";
import { rank } from "../rank/rank.ts";

const EXAMPLE = "nutshell rank --model runs/out/sft --prompts questions.txt --out rankings.jsonl";

export const command: Command<OptionTableFor<RankValues>> = defineCommand({
  name: "rank",
  summary: "the labelling desk: order a model's answers, on a page or at the terminal",
  example: EXAMPLE,
  options: rankOptions,
  async run(values, io) {
    const { model } = values;
    if (model === undefined)
      throw new NutshellError("USAGE", `rank: needs --model, got none. Try: ${EXAMPLE}`);
    const result = await rank({ ...values, model }, io);
    const { out, done, total } = result;
    const text = `${done} of ${total} ranked in ${out}\nnext: nutshell reward --data ${out} --model ${model}\n`;
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : text);
  },
});
