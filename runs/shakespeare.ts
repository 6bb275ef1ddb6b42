/**
 * `npm run repro:shakespeare`: nanoGPT's character-level CPU setting (train_shakespeare_char with
 * the flags of its README) on a Llama-family model of equal size. nanoGPT reports a validation loss
 * of 1.88. Here the loss is over the whole validation split, not over random batches of it.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Command, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { NutshellError } from "../src/error.ts";
import { pretrainOptions } from "../src/llm/pretrain/config.ts";
import { presets } from "../src/llm/pretrain/presets.ts";
import { pretrain } from "../src/llm/pretrain/pretrain.node.ts";
import type { PretrainResult } from "../src/llm/pretrain/result.ts";
import { removeRun } from "../src/llm/run/resume.node.ts";
import { createTalk } from "../src/llm/run/talk.ts";
import { type OptionTableFor, resolveOptions } from "../src/options.ts";

interface ShakespeareValues {
  data: string | undefined;
  out: string;
  threads: number | undefined;
  precision: "auto" | "bf16" | "f32";
  seed: number;
}

const { values: preset } = presets.shakespeare;
const options: OptionTableFor<ShakespeareValues> = {
  data: { ...pretrainOptions.data, doc: "tinyshakespeare as one text file, .gz or not." },
  out: { ...pretrainOptions.out, value: preset.out ?? "" },
  threads: pretrainOptions.threads,
  precision: pretrainOptions.precision,
  seed: { ...pretrainOptions.seed, value: preset.seed ?? 1337 },
};

const beside = "../../shared/data/pretrain/books/tinyshakespeare.txt.gz";
const published = 1.88;
const bound = 1.9;

const command: Command<OptionTableFor<ShakespeareValues>> = defineCommand({
  name: "shakespeare",
  summary: "nanoGPT's character-level setting: does the loss come out as published?",
  example: "npm run repro:shakespeare -- --data tinyshakespeare.txt",
  options,
  async run(values, io) {
    const talk = createTalk(io);
    const data = values.data ?? findBeside();
    // A measurement starts from nothing, whatever an earlier one left.
    removeRun(values.out);
    const layers = { ...preset, ...values, data };
    const asked = resolveOptions(pretrainOptions, { from: "preset shakespeare", values: layers });
    const result = await pretrain(asked, talk, io.signal);
    if (result.stopped) return;
    if (!io.json) io.stdout(renderTable(result));
    const { val_loss, val_bpb, parameters, step: steps, train_seconds, tok_per_s } = result;
    const line = { val_loss, val_bpb, published, parameters, steps, train_seconds, tok_per_s };
    io.stdout(`${JSON.stringify(line)}\n`);
    if (val_loss === undefined || !(val_loss <= bound))
      throw new NutshellError(
        "DIVERGED",
        `shakespeare: validation loss must be ${bound} or less, got ${val_loss}. ` +
          "Look at its loss.svg.",
      );
  },
});

function findBeside(): string {
  const path = fileURLToPath(new URL(beside, import.meta.url));
  if (existsSync(path)) return path;
  throw new NutshellError(
    "USAGE",
    "shakespeare: needs --data FILE, the text of tinyshakespeare, got none. " +
      "It is `input.txt` of Karpathy's char-rnn.",
  );
}

function renderTable({ val_loss, parameters, step, train_seconds }: PretrainResult): string {
  const rows = [
    ["", "nutshell", "nanoGPT"],
    ["validation loss", val_loss?.toFixed(4) ?? "none", String(published)],
    ["parameters", `${(parameters / 1e6).toFixed(2)} M`, "0.80 M"],
    ["steps", String(step), "2000"],
    ["minutes", (train_seconds / 60).toFixed(1), "about 3"],
  ];
  return rows
    .map(([a = "", b = "", c = ""]) => `${a.padEnd(17)}${b.padStart(10)}${c.padStart(10)}\n`)
    .join("");
}

await runProgram(command);
