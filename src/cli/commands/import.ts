/** `nutshell import`: a Llama- or Qwen3-shaped model from Hugging Face as a checkpoint of ours. */
import { NutshellError } from "../../error.ts";
import { importFolder } from "../../llm/export/import-folder.node.ts";
import { countParameters } from "../../llm/model/size.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { formatCount } from "../format.ts";
import { Progress } from "../progress.ts";

const EXAMPLE = "nutshell import ~/models/Llama-3.2-1B --out models/llama";

interface ImportValues {
  out: string | undefined;
  force: boolean;
}

const options: OptionTableFor<ImportValues> = {
  out: { type: "string?", value: undefined, placeholder: "DIR", doc: "The folder to write." },
  force: { type: "boolean", value: false, doc: "Replace a model that is there." },
};

export const command: Command<OptionTableFor<ImportValues>> = defineCommand({
  name: "import",
  summary: "a Llama- or Qwen3-shaped Hugging Face folder as a checkpoint",
  example: EXAMPLE,
  positionals: [
    { name: "HF_FOLDER", doc: "config.json, *.safetensors, tokenizer.json.", required: true },
  ],
  options,
  async run({ out, force }, io, { positionals: [from = ""] }) {
    if (out === undefined)
      throw new NutshellError("USAGE", `import: needs --out, got none. Try: ${EXAMPLE}`);
    using progress = new Progress(io, { label: "copying", unit: "bytes" });
    const onBytes = (done: number): void => progress.update(done);
    const { config, bytes } = await importFolder(from, out, { force, onBytes, signal: io.signal });
    progress.end();
    const parameters = countParameters(config).total;
    const told = `${out}: ${formatCount(parameters)} parameters, context ${config.sequenceLen}`;
    const result = { from, out, bytes, parameters, context: config.sequenceLen };
    io.stdout(`${io.json ? JSON.stringify(result) : told}\n`);
  },
});
