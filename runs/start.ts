/**
 * `npm start`: boots the model that ships and opens a chat with it. With `--grow`, the first half of
 * the talk as one story instead: raw text becomes tokens, a model that continues text, an
 * assistant, a reward model, an assistant that learned by trying, a report card, and a chat. A
 * second start of that goes on where the first stopped.
 */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { openChat } from "../src/cli/chat/open-chat.ts";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { renderGrown } from "../src/cli/grow/summary.ts";
import { type GrowConfig, growOptions } from "../src/llm/grow/config.ts";
import { grow } from "../src/llm/grow/grow.node.ts";
import { folderOf, removeGrown } from "../src/llm/grow/state.node.ts";
import { reportJson } from "../src/llm/report/json.ts";
import { createTalk } from "../src/llm/run/talk.ts";
import type { OptionTableFor } from "../src/options.ts";

interface StartValues extends GrowConfig {
  grow: boolean;
  fresh: boolean;
  chat: boolean;
}

/** Grown by `nutshell grow --preset kernel`; its card says from what and how good. */
const SHIPPED = relative(
  process.cwd(),
  fileURLToPath(new URL("../models/kernel", import.meta.url)),
);

const command: Command<OptionTableFor<StartValues>> = defineCommand({
  name: "start",
  start: "npm start --",
  summary: "chat with the model that ships, or grow another from raw text",
  example: "npm start -- --grow --data books/ --out runs/out/books",
  options: {
    ...growOptions,
    grow: {
      type: "boolean",
      value: false,
      doc: "Grow a model and chat with that one; any other flag below means the same.",
    },
    fresh: { type: "boolean", value: false, doc: "Remove what was grown in --out and start over." },
    chat: { type: "boolean", value: true, doc: "Open a chat at the end." },
  },
  run: (values, io) =>
    asksToGrow(values) || !existsSync(join(SHIPPED, "config.json"))
      ? growAndChat(values, io)
      : boot(values, io),
});

/** Whoever sets a dial of growing, or wants no chat, wants something grown. */
function asksToGrow({ grow, fresh, chat, data, from, preset, out, seed }: StartValues): boolean {
  const given = { preset, out, seed };
  const keys = Object.keys(given) as (keyof typeof given)[];
  const isDialled = keys.some((key) => given[key] !== growOptions[key].value);
  return grow || fresh || !chat || data !== undefined || from !== "auto" || isDialled;
}

async function boot({ backend, threads }: StartValues, io: CommandIo): Promise<void> {
  io.stderr(
    `${lineUp("This is the model that ships. It is small: models/kernel/card.md", [
      ["npm start -- --grow", "grow your own from raw text, in minutes"],
      ["npx nutshell serve --model models/kernel", "a chat page and an API for programs"],
      ["npx nutshell", "everything else"],
    ])}\n\n`,
  );
  await openChat({ model: SHIPPED, backend, threads }, io);
}

const welcome =
  "Nutshell grows a language model from nothing: it learns its own tokens from raw text, trains a\n" +
  "small transformer to guess the next one, teaches it to answer and to use tools, lets it try\n" +
  "and rewards what works, measures all of it, and opens a chat.\n" +
  "Ctrl-C stops and saves; the same command goes on.";

async function growAndChat(
  { grow: _, fresh, chat, ...config }: StartValues,
  io: CommandIo,
): Promise<void> {
  const talk = createTalk(io);
  const { out, backend, threads } = config;
  if (fresh) await removeGrown(out);
  talk.say(`${welcome} All of it goes to ${out}.`);
  const record = await grow(config, talk, io.signal);
  if (record === undefined) return;
  io.stdout(io.json ? `${JSON.stringify(reportJson(record))}\n` : renderGrown(record));
  talk.say(whatNext(out));
  if (chat) await openChat({ model: folderOf(out, "rl"), backend, threads }, io);
}

function whatNext(out: string): string {
  return lineUp("What next:", [
    [`open ${out}/report.html`, "the report card, with curves and samples"],
    [`npx nutshell chat --model ${out}/4-rl`, "talk to it"],
    [`npx nutshell serve --model ${out}/4-rl`, "a chat page and an API for programs"],
    ["npx nutshell sft inspect", "what it was taught, token by token"],
    [`npx nutshell rank --model ${out}/2-sft`, "rank its answers yourself: the labelling desk"],
    [`npx nutshell eval --model ${out}/4-rl`, "what it can do, with error bars"],
    ["npm start -- --data DIR --out DIR", "the same from your own text"],
    ["npx nutshell grow --preset laptop", "a better model, in hours"],
  ]);
}

function lineUp(head: string, rows: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...rows.map(([command]) => command.length));
  return [head, ...rows.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`)].join("\n");
}

await runProgram(command);
