/** `nutshell serve` as people start it: a process, a real tiny model, a signal at the end. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { after, type TestContext, test } from "node:test";
import OpenAI from "openai";
import { dispatch } from "../../../src/cli/dispatch.ts";
import { saveChattingModel, talksOn } from "../../llm/chat/chatting-model.ts";
import { RecordedStreams } from "../recorded-streams.ts";

const root = await mkdtemp(join(tmpdir(), "nutshell-serve-"));
after(() => rmSync(root, { recursive: true, force: true }));
const model = await saveChattingModel(join(root, "run"), talksOn);
const main = join(import.meta.dirname, "../../../src/cli/main.ts");

type Child = ChildProcessByStdio<null, Readable, Readable>;

async function serve(t: TestContext, ...words: string[]): Promise<{ child: Child; url: string }> {
  const own = ["--model", model, "--backend", "reference", "--weights", "f32", "--port", "0"];
  const args = [main, "serve", ...own, "--max-batch", "2", "--kv-mib", "1", "--json", ...words];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  let talk = "";
  child.stderr.on("data", (chunk) => {
    talk += chunk;
  });
  for await (const line of createInterface(child.stdout)) {
    const { url, pid } = JSON.parse(line) as { url: string; pid: number };
    assert.equal(pid, child.pid);
    return { child, url };
  }
  assert.fail(`it came to no address: ${talk}`);
}

test("a real model answers the official client, then stops in order", async (t) => {
  const keys = join(root, "keys.txt");
  await writeFile(keys, "# ours\nsk-0123456789\n");
  const { child, url } = await serve(t, "--keys-file", keys, "--as", "tiny");
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-0123456789", maxRetries: 0 });
  const ask = {
    model: "tiny",
    messages: [{ role: "user" as const, content: "?" }],
    temperature: 0,
    max_tokens: 9,
  };
  const reply = await client.chat.completions.create(ask);
  assert.equal(reply.choices[0]?.message.content, "Done.Done");
  assert.equal(reply.choices[0]?.finish_reason, "length");
  let text = "";
  for await (const { choices } of await client.chat.completions.create({ ...ask, stream: true }))
    text += choices[0]?.delta.content ?? "";
  assert.equal(text, "Done.Done");
  await assert.rejects(client.withOptions({ apiKey: "sk-other" }).models.list(), { status: 401 });
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 130);
});

test("what cannot be served is said in one line", async () => {
  const streams = new RecordedStreams();
  const words: readonly (readonly [string[], number, RegExp])[] = [
    [[], 2, /USAGE serve: needs --model/],
    [["--model", model, "--host", "0.0.0.0"], 1, /CONFIG serve: --host 0.0.0.0 is open/],
    [["--model", model, "--key", "short"], 1, /CONFIG keys: key 1 must be 8 to 512/],
    [["--model", model, "--keys-file", join(root, "none")], 2, /USAGE serve: --keys-file/],
    [["--model", model, "--draft", "lookup", "--steady"], 1, /CONFIG engine: steady must stand/],
    [["--model", model, "--cors", "a.org"], 2, /USAGE serve: --cors takes origins/],
  ];
  for (const [more, code, message] of words) {
    const streams = new RecordedStreams();
    assert.equal(await dispatch(["serve", "--backend", "reference", ...more], streams), code);
    assert.match(streams.err, message);
  }
  assert.equal(await dispatch(["serve", "--help"], streams), 0);
  assert.match(streams.out, /Example: nutshell serve --model /);
});
