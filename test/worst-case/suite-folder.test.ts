/** Files of suites are hostile: what is torn or wrong is a named error, what is foreign is named. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { NutshellError } from "../../src/error.ts";
import { openSuiteFolder, type SuiteFolder } from "./suite-folder.ts";

function openWith(files: Readonly<Record<string, string | Uint8Array>>): SuiteFolder {
  const dir = mkdtempSync(join(tmpdir(), "nutshell-suites-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
    return openSuiteFolder(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const tool = { name: "read", description: "", parameters: {}, effect: "read", egress: false };
const task = { id: "t", prompt: "do", ground_truth_calls: [{ function: "read", args: {} }] };
const suite = { suite: "small", tools: [tool], user_tasks: [task], injection_tasks: [] };
const row = { id: "1", suite: "small", user_task: "t", messages: [{ role: "user", text: "hi" }] };

const refused: Readonly<Record<string, Readonly<Record<string, string | Uint8Array>>>> = {
  "a torn gzip file": { "a.json.gz": gzipSync(JSON.stringify(suite)).subarray(0, 40) },
  "plain text named gzip": { "a.json.gz": JSON.stringify(suite) },
  "a bomb": { "a.json.gz": gzipSync(Buffer.alloc(257 * 2 ** 20)) },
  "torn JSON": { "a.json": JSON.stringify(suite).slice(0, -5) },
  "a torn row": { "a.jsonl": `${JSON.stringify(row)}\n{"id":` },
  "bytes that are no UTF-8": { "a.json": new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]) },
  "tools that are no list": { "a.json": JSON.stringify({ ...suite, tools: { length: 1e9 } }) },
  "a task without a prompt": { "a.json": JSON.stringify({ ...suite, user_tasks: [{ id: "t" }] }) },
  "a foreign row among traces": { "a.jsonl": `${JSON.stringify(row)}\n{"x": 1}` },
  "an unknown kind of sink": { "small.sinks.json": '{"read": {"x": "harmless"}}' },
  "an unknown source": {
    "a.json": JSON.stringify({ ...suite, tools: [{ ...tool, source: "me" }] }),
  },
};

for (const [what, files] of Object.entries(refused)) {
  test(`${what} is refused by name`, () => {
    assert.throws(
      () => openWith(files),
      (error) => {
        assert.ok(error instanceof NutshellError && error.code === "DATA", String(error));
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test("kinds are known by content; what is foreign is skipped and named", () => {
  const found = openWith({
    "x.json.gz": gzipSync(JSON.stringify(suite)),
    "y.jsonl": `${JSON.stringify(row)}\n`,
    "z.json": '{"hello": 1}',
    "empty.jsonl": "",
    "readme.md": "not looked at",
    "small.sinks.json": '{"read": {"x": "neutral"}}',
  });
  assert.deepEqual(
    found.suites.map(({ name }) => name),
    ["small"],
  );
  assert.deepEqual(
    found.traces.map(({ kind }) => kind),
    ["benign"],
  );
  assert.deepEqual(found.skipped, ["empty.jsonl", "z.json"]);
  assert.deepEqual(found.overrides.get("small"), { read: { x: "neutral" } });
});

test("what a tool does not declare is taken strictly", () => {
  const bare = { name: "x", parameters: { properties: { mood: {} } } };
  const [found] = openWith({ "a.json": JSON.stringify({ ...suite, tools: [bare] }) }).suites;
  assert.deepEqual(found?.tools[0], { ...bare, description: "", effect: "write", egress: true });
});

test("prototype names are data, and change nothing", () => {
  const args = JSON.parse('{"__proto__": {"polluted": true}}');
  const evil = { ...task, ground_truth_calls: [{ function: "__proto__", args }] };
  const [found] = openWith({ "a.json": JSON.stringify({ ...suite, user_tasks: [evil] }) }).suites;
  assert.equal(found?.userTasks[0]?.calls[0]?.function, "__proto__");
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});
