/**
 * `npm start`: the first half of the talk as one story. Raw text becomes tokens, a model that
 * continues text, an assistant, a reward model, an assistant that learned by trying, a report card,
 * and a chat. A second start goes on where the first stopped, or opens the chat at once.
 */
import { openChat } from "../src/cli/chat/open-chat.ts";
import { type Command, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { renderGrown } from "../src/cli/grow/summary.ts";
import { type GrowConfig, growOptions } from "../src/llm/grow/config.ts";
import { grow } from "../src/llm/grow/grow.node.ts";
import { folderOf, removeGrown } from "../src/llm/grow/state.node.ts";
import { reportJson } from "../src/llm/report/json.ts";
import { createTalk } from "../src/llm/run/talk.ts";
import type { OptionTableFor } from "../src/options.ts";

interface StartValues extends GrowConfig {
  fresh: boolean;
  chat: boolean;
}

const welcome =
  "Nutshell grows a language model from nothing: it learns its own tokens from raw text, trains a\n" +
  "small transformer to guess the next one, teaches it to answer and to use tools, lets it try\n" +
  "and rewards what works, measures all of it, and opens a chat.\n" +
  "Ctrl-C stops and saves; the same command goes on.";

const command: Command<OptionTableFor<StartValues>> = defineCommand({
  name: "start",
  start: "npm start --",
  summary: "grow a tiny assistant from raw text, then chat with it",
  example: "npm start -- --data books/ --out runs/out/books",
  options: {
    ...growOptions,
    fresh: { type: "boolean", value: false, doc: "Remove what was grown in --out and start over." },
    chat: { type: "boolean", value: true, doc: "Open a chat at the end." },
  },
  async run({ fresh, chat, ...config }, io) {
    const talk = createTalk(io);
    const { out, backend, threads } = config;
    if (fresh) await removeGrown(out);
    talk.say(`${welcome} All of it goes to ${out}.`);
    const record = await grow(config, talk, io.signal);
    if (record === undefined) return;
    io.stdout(io.json ? `${JSON.stringify(reportJson(record))}\n` : renderGrown(record));
    talk.say(whatNext(out));
    if (chat) await openChat({ model: folderOf(out, "rl"), backend, threads }, io);
  },
});

function whatNext(out: string): string {
  const rows = [
    [`open ${out}/report.html`, "the report card, with curves and samples"],
    [`npx nutshell chat --model ${out}/4-rl`, "talk to it"],
    ["npx nutshell sft inspect", "what it was taught, token by token"],
    [`npx nutshell rank --model ${out}/2-sft`, "rank its answers yourself: the labelling desk"],
    [`npx nutshell eval --model ${out}/4-rl`, "what it can do, with error bars"],
    ["npm start -- --data DIR --out DIR", "the same from your own text"],
    ["npx nutshell grow --preset laptop", "a better model, in hours"],
  ] as const;
  const width = Math.max(...rows.map(([command]) => command.length));
  const lines = rows.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`);
  return ["What next:", ...lines].join("\n");
}

await runProgram(command);
