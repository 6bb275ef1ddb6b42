/** `nutshell chat` through the real command line, on models made here. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import { openChat } from "../../../src/cli/chat/open-chat.ts";
import { readWorldFiles } from "../../../src/cli/chat/world-files.ts";
import { dispatch } from "../../../src/cli/dispatch.ts";
import { saveChattingModel, speaksForTheUser, talksOn } from "../../llm/chat/chatting-model.ts";
import { saveSpeakingModel } from "../../llm/inference/speaking-model.ts";
import { RecordedStreams, recordedIo } from "../recorded-streams.ts";

const root = await mkdtemp(join(tmpdir(), "nutshell-chat-"));
after(() => rmSync(root, { recursive: true, force: true }));
const model = await saveChattingModel(join(root, "run"));
const talkative = await saveChattingModel(join(root, "talkative"), talksOn);

const CLOCK = /^\w+day \d{4}-\d\d-\d\d \d\d:\d\d UTC$/;

async function chat(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const streams = new RecordedStreams();
  const fixed = ["chat", "--backend", "reference", "--temperature", "0"];
  const code = await dispatch([...fixed, ...words], streams);
  return { code, out: streams.out, err: streams.err };
}

test("one question: the answer on stdout, calls and results on stderr", async () => {
  const { code, out, err } = await chat("--model", join(root, "run"), "--prompt", "What time?");
  assert.equal(code, 0);
  assert.equal(out, "Done.\n");
  const [about, call, result = "", ...more] = err.split("\n");
  assert.equal(about, `${model} | context 96 tokens`);
  assert.equal(call, "→ clock {}");
  assert.match(result.slice(2), CLOCK);
  assert.deepEqual(more, [""]);
});

test("--json: one object for the reply", async () => {
  const { code, out } = await chat("--model", model, "--prompt", "?", "--json", "--system", "S");
  assert.equal(code, 0);
  const { messages, ...reply } = JSON.parse(out);
  assert.deepEqual(reply, {
    ...{ prompt: "?", text: "Done.", seed: 1, wellFormed: true, promptTokens: 8, tokens: 11 },
    ...{ finishReason: "stop", forgotten: 0 },
  });
  assert.match(messages[1].content, CLOCK);
});

test("a cut reply is said to be cut", async () => {
  const { out, err } = await chat("--model", talkative, "--prompt", "?", "--max-tokens", "12");
  assert.equal(out, "Done.Done.Do\n");
  assert.match(err, /cut after 12 tokens: --max-tokens or the context is used up\n$/);
});

test("a reply that breaks the format is said to", async () => {
  const broken = await saveChattingModel(join(root, "broken"), speaksForTheUser);
  const { out, err } = await chat("--model", broken, "--prompt", "?");
  assert.equal(out, "Done.\n");
  assert.match(err, /\nthe reply broke the chat format\n$/);
});

test("stdin that is no terminal: an answer per line, in one chat", async () => {
  const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
  const words = ["--model", model, "--backend", "reference", "--temperature", "0", "--json"];
  const child = spawn(process.execPath, [main, "chat", ...words]);
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stdin.end("one\n\ntwo\n");
  const [code] = await once(child, "close");
  assert.equal(code, 0);
  const replies = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const clock = replies[0].messages[1].content.length;
  assert.deepEqual(
    replies.map(({ prompt, seed, text, promptTokens }) => [prompt, seed, text, promptTokens]),
    [
      ["one", 1, "Done.", 7],
      // The call is 5 ids, the result 3 and its text, the answer 6, the question 6.
      ["two", 2, "Done.", 7 + 5 + 3 + clock + 6 + 6],
    ],
  );
});

/** A terminal: keys go in, `sees` waits until the screen shows a text behind what it showed. */
function openTerminal(folder: string): {
  streams: RecordedStreams;
  keys: PassThrough;
  ended: Promise<void>;
  /** @returns what came before it */
  sees(text: string): Promise<string>;
} {
  const streams = new RecordedStreams({ isTTY: true, columns: 80 });
  let screen = "";
  let wake = (): void => {};
  const shown = {
    write(text: string): void {
      screen += text;
      wake();
    },
  };
  Object.assign(streams, { stdout: shown, stderr: { ...shown, isTTY: true, columns: 80 } });
  const keys = Object.assign(new PassThrough(), { isTTY: true });
  const values = { model: folder, backend: "reference" as const, temperature: 0 };
  const ended = openChat(values, recordedIo(streams), keys);
  return {
    ...{ streams, keys, ended },
    async sees(text) {
      while (!screen.includes(text)) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
      const before = screen.slice(0, screen.indexOf(text));
      screen = screen.slice(before.length + text.length);
      return before;
    },
  };
}

test("a terminal: questions, /help, /reset, a question too long, /quit", async () => {
  const { keys, sees, ended } = openTerminal(model);
  await sees("/help says what can be typed");
  await sees("> ");
  keys.write("hello\r");
  await sees("→ clock {}");
  await sees("← ");
  await sees("Done.");
  await sees("> ");
  keys.write("/help\r");
  await sees("/reset forgets what was said, /quit ends");
  keys.write("/reset\r");
  await sees("forgotten; the system message stays");
  keys.write("/what\r");
  await sees("/reset forgets what was said, /quit ends");
  keys.write(`${"q".repeat(90)}\r`);
  await sees("CONFIG chat: system message and question must leave room");
  keys.write("again\r");
  await sees("→ clock {}");
  await sees("Done.");
  keys.write("/quit\r");
  await ended;
});

test("a terminal: Ctrl-C stops a reply, clears a line, then ends the chat", async () => {
  const { keys, sees, ended } = openTerminal(talkative);
  await sees("> ");
  keys.write("hello\r");
  await sees("Done.Done.");
  keys.write("\x03");
  assert.match(await sees("> "), /^(Done\.){0,3}\w{0,4}\n[^\w]*(\dG[^\w]*\dJ)?$/);
  keys.write("half a line");
  await sees("line");
  keys.write("\x03");
  keys.write("whole\r");
  await sees("Done.Done.");
  await sees("cut after");
  await sees("> ");
  keys.write("\x03");
  await ended;
});

test("files by name for read_file", () => {
  const path = join(root, "a.txt");
  writeFileSync(path, "Milk.");
  assert.deepEqual(readWorldFiles(`notes.txt=${path},${path}`), {
    "notes.txt": "Milk.",
    "a.txt": "Milk.",
  });
  assert.deepEqual(readWorldFiles(undefined), {});
  writeFileSync(path, Uint8Array.of(0xff));
  assert.throws(() => readWorldFiles(path), { code: "DATA", message: /a\.txt: .* UTF-8/ });
});

const refused: readonly [code: number, words: string[], message: RegExp][] = [
  [2, [], /^USAGE chat: needs --model, got none\. Try: nutshell chat --model/],
  [2, ["--model", model, "--max-tokens", "0"], /^USAGE --max-tokens must be greater than 0/],
  [1, ["--model", join(root, "none")], /^CHECKPOINT /],
  [1, ["--model", model, "--file", "none.txt"], /^DATA none\.txt: .* got ENOENT\. Check --file\./],
  [1, ["--model", model, "--prompt", "q".repeat(90)], /\nCONFIG chat: .* must leave room/],
];

for (const [expected, words, message] of refused)
  test(`refused in one line: chat ${words[2] ?? words[0] ?? ""}`, async () => {
    const { code, out, err } = await chat(...words);
    assert.deepEqual([code, out], [expected, ""]);
    assert.match(err, message);
  });

test("a model whose vocabulary has no marks is refused", async () => {
  const base = await saveSpeakingModel(join(root, "base"), "abc");
  const { code, err } = await chat("--model", base, "--prompt", "?");
  assert.equal(code, 1);
  assert.match(err, /^TOKENIZER .*tokenizer\.json: .* must hold every mark, got none for /);
});
