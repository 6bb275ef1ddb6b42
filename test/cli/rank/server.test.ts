/** The labelling desk end to end: real answers of a real small model, over loopback, into a file. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import type { CommandIo } from "../../../src/cli/command.ts";
import { type RankValues, rankOptions } from "../../../src/cli/rank/options.ts";
import { readPrompts } from "../../../src/cli/rank/prompts.ts";
import { type RankResult, rank } from "../../../src/cli/rank/rank.ts";
import { findRankings } from "../../../src/llm/reward/find-rankings.node.ts";
import type { RankedPrompt } from "../../../src/llm/tasks/ranking.ts";
import { createRowCounts } from "../../../src/llm/tasks/row-counts.ts";
import { resolveOptions } from "../../../src/options.ts";
import { saveSmallModel } from "../../llm/reward/small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-desk-"));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const model = await saveSmallModel(at("model"));
writeFileSync(at("prompts.txt"), "Hello\n\nWhat is 2 + 2?\nHello\n");

function valuesOf(more: Partial<RankValues>): RankValues & { model: string } {
  const asked = { model, prompts: at("prompts.txt"), out: at("r.jsonl"), maxTokens: 8, k: 3 };
  const values = resolveOptions(rankOptions, { from: "test", values: { ...asked, ...more } });
  return { ...values, model };
}

interface Desk {
  readonly url: string;
  readonly result: Promise<RankResult>;
  readonly stop: AbortController;
}

/** The command, up to where it says its address. */
async function openDesk(more: Partial<RankValues> = {}): Promise<Desk> {
  const stop = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const stderr = (text: string): void => {
    const url = /http:\/\/\S+/.exec(text)?.[0];
    if (url !== undefined) resolve(url);
  };
  const io: CommandIo = {
    ...{ stdout: () => {}, show: () => {}, stderr, json: false, signal: stop.signal },
    ...{ isTTY: false, columns: 80, color: false },
  };
  const result = rank(valuesOf(more), io);
  result.catch(reject);
  return { url: await promise, result, stop };
}

interface Shown {
  readonly question: { id: string; answers: string[]; prompt: { content: string }[] } | null;
  readonly progress: { done: number; total: number; canUndo: boolean };
}

const json = { "content-type": "application/json" };

async function post(url: string, body: object): Promise<Shown> {
  const answer = await fetch(url, { method: "POST", headers: json, body: JSON.stringify(body) });
  assert.equal(answer.status, 200);
  return (await answer.json()) as Shown;
}

test("page, ranking, closed window, restart, finish: the file is what training reads", async () => {
  const first = await openDesk();
  const page = await fetch(first.url);
  const html = await page.text();
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.ok(!/(?:src|href)=/.test(html) && !/https?:\/\//.test(html), "loads nothing");
  const shown = (await (await fetch(`${first.url}question`)).json()) as Shown;
  assert.deepEqual(shown.progress, { done: 0, total: 2, canUndo: false });
  const [question] = [shown.question as NonNullable<Shown["question"]>];
  assert.equal(question.prompt[0]?.content, "Hello");
  assert.ok(question.answers.length >= 2);
  const places = question.answers.map((_, place) => [place]).reverse();
  const next = await post(`${first.url}rank`, { id: question.id, groups: places });
  assert.equal(next.question?.prompt[0]?.content, "What is 2 + 2?");
  first.stop.abort(); // The window is closed, the command ended.
  assert.deepEqual(await first.result, { out: at("r.jsonl"), done: 1, total: 2, cannot_say: 0 });
  const row = JSON.parse(readFileSync(at("r.jsonl"), "utf8"));
  const texts = row.ranking.flat().map((index: number) => row.responses[index]);
  assert.deepEqual(texts, question.answers.toReversed());

  const second = await openDesk();
  const open = (await (await fetch(`${second.url}question`)).json()) as Shown;
  assert.deepEqual(open.question, next.question, "the same answers again");
  assert.equal(open.progress.done, 1);
  const end = await post(`${second.url}cannot-say`, { id: open.question?.id });
  assert.deepEqual([end.question, end.progress.done], [null, 2]);
  await post(`${second.url}finish`, {});
  assert.deepEqual(await second.result, { out: at("r.jsonl"), done: 2, total: 2, cannot_say: 1 });
  const [source] = findRankings(at("r.jsonl")).sources;
  const counts = createRowCounts();
  const read: RankedPrompt["ranking"][] = [];
  for await (const { ranking } of source?.read(counts) ?? []) read.push(ranking);
  assert.deepEqual(read, [row.ranking]);
  assert.deepEqual([counts.rows, counts.kept], [2, 1]);
});

test("who has no token, another host or origin, or no small JSON is refused", async () => {
  const desk = await openDesk({ out: at("guarded.jsonl") });
  const { port, pathname } = new URL(desk.url);
  const status = async (path: string, options: RequestInit = {}): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`, options)).status;
  const send = (path: string, body: string, headers: Record<string, string> = json) =>
    status(pathname + path, { method: "POST", headers, body });
  assert.equal(await status("/"), 404);
  assert.equal(await status(`/${"0".repeat(32)}/`), 404);
  assert.equal(await status(`/${"0".repeat(32)}/rank`, { method: "POST", body: "{}" }), 404);
  assert.equal(await status(`${pathname}nothing`), 404);
  assert.equal(await status(`${pathname}rank`), 404);
  assert.equal(
    await status(`${pathname}toString`, { method: "POST", headers: json, body: "{}" }),
    404,
  );
  assert.equal(await send("rank", "{}", { "content-type": "text/plain" }), 415);
  assert.equal(await send("rank", "[1]"), 400);
  assert.equal(await send("rank", "{"), 400);
  assert.equal(await send("rank", '{"id":"x","groups":[[0]]}'), 400);
  assert.equal(await send("rank", '{"id":"x","groups":"all"}'), 400);
  assert.equal(await send("rank", JSON.stringify({ id: "x".repeat(70_000) })), 413);
  const from = { ...json, origin: "http://evil.example" };
  assert.equal(await send("undo", "{}", from), 403);
  assert.equal(await statusAs("evil.example", Number(port), pathname), 403);
  assert.equal(await statusAs(`localhost:${port}`, Number(port), pathname), 200);
  desk.stop.abort();
  assert.equal((await desk.result).done, 0);
  assert.equal(readFileSync(at("guarded.jsonl"), "utf8"), "");
});

/** A request that names a host of its choice, as a rebound name in a browser would. */
function statusAs(host: string, port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject).end();
  });
}

test("the terminal form from the command on", async () => {
  const input = new PassThrough();
  input.end("c\nq\n");
  const io: CommandIo = {
    ...{
      stdout: () => {},
      show: () => {},
      stderr: () => {},
      json: false,
      signal: new AbortController().signal,
    },
    ...{ isTTY: false, columns: 80, color: false },
  };
  const values = valuesOf({ out: at("t.jsonl"), terminal: true });
  const result = await rank(values, io, input);
  assert.deepEqual([result.done, result.total, result.cannot_say], [1, 2, 1]);
});

test("prompts: lines, JSONL of three shapes, built-in ones; each once", async () => {
  const asked = async (file: string | undefined, count = 9) =>
    (await readPrompts(file, count, 1)).map((prompt) => prompt.at(-1)?.content);
  assert.deepEqual(await asked(at("prompts.txt")), ["Hello", "What is 2 + 2?"]);
  const rows = [
    { prompt: "one" },
    { prompt: [{ role: "user", content: "two" }] },
    {
      messages: [
        { role: "user", content: "three" },
        { role: "assistant", content: "an answer of somebody else" },
      ],
    },
  ];
  const lines = rows.map((row) => JSON.stringify(row)).join("\n");
  writeFileSync(at("p.jsonl"), `${lines}\n`);
  assert.deepEqual(await asked(at("p.jsonl")), ["one", "two", "three"]);
  assert.deepEqual(await asked(at("p.jsonl"), 2), ["one", "two"]);
  assert.equal(new Set(await asked(undefined, 12)).size, 12);
  writeFileSync(at("bad.jsonl"), '{"prompt":"fine"}\n{"question":"x"}\n');
  await assert.rejects(readPrompts(at("bad.jsonl"), 9, 1), { code: "DATA", message: /jsonl:2/ });
  writeFileSync(at("empty.txt"), "\n");
  await assert.rejects(readPrompts(at("empty.txt"), 9, 1), { code: "DATA" });
});
