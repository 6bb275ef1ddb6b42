/**
 * The shape of the tree: arrows point downward, nothing goes in circles, what runs in browsers
 * stays free of Node. The table is the whole rule; the first tests show that it can be broken.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { findCycles, findForbiddenImports, type Part, readImports } from "./imports.ts";

const leaves = ["src/error.ts", "src/inert-text.ts", "src/nearest-name.ts", "src/options.ts"];
const disk = "src/durable-file.node.ts";
// Where the stages meet.
const llm = (...names: readonly string[]): string[] => names.map((name) => `src/llm/${name}/`);
const llmBase = llm("tokenizer", "data", "model", "optim", "inference", "chat", "tasks", "run");
const stage = [...leaves, disk, "src/compute/", ...llmBase];
// What the operating system may see of a model: one door, and the tools that need no model.
const model = [
  "src/llm/inference/engine.ts",
  "src/llm/chat/conversation.ts",
  "src/llm/chat/tools/",
];
const osParts = [
  ...["security", "plan", "scheduler", "kernel", "memory", "devices", "apps", "planner"],
];
const os = (...names: readonly string[]): string[] => names.map((name) => `src/os/${name}/`);
const anything = ["src/", "runs/", "bench/", "test/", "setup.mjs"];

const parts: readonly Part[] = [
  ...leaves.map((prefix) => ({ prefix, mayImport: leaves, browser: true })),
  { prefix: disk, mayImport: leaves, browser: false },
  { prefix: "src/compute/", mayImport: leaves, browser: true },
  { prefix: "src/llm/tokenizer/", mayImport: leaves, browser: false },
  {
    prefix: "src/llm/data/",
    mayImport: [...leaves, disk, "src/compute/", "src/llm/tokenizer/"],
    browser: false,
  },
  {
    prefix: "src/llm/optim/",
    mayImport: [...leaves, "src/compute/", "src/llm/model/"],
    browser: false,
  },
  {
    prefix: "src/llm/model/",
    mayImport: [...leaves, disk, "src/compute/", "src/llm/tokenizer/"],
    browser: true,
  },
  {
    prefix: "src/llm/inference/",
    mayImport: [
      ...[...leaves, "src/compute/", "src/llm/tokenizer/", "src/llm/model/"],
      "src/llm/chat/conversation.ts",
    ],
    browser: true,
  },
  {
    prefix: "src/llm/engines/",
    mayImport: [
      ...[...leaves, disk, "src/compute/"],
      ...llm("tokenizer", "model", "inference", "chat", "run"),
    ],
    browser: false,
  },
  {
    prefix: "src/llm/export/",
    mayImport: [...leaves, disk, "src/compute/", ...llm("tokenizer", "model", "chat", "run")],
    browser: false,
  },
  {
    prefix: "src/llm/chat/",
    mayImport: [...leaves, "src/compute/", ...llm("tokenizer", "model", "inference")],
    browser: true,
  },
  {
    prefix: "src/llm/tasks/",
    mayImport: [...leaves, "src/compute/", ...llm("tokenizer", "data", "chat")],
    browser: false,
  },
  {
    prefix: "src/llm/run/",
    mayImport: [...leaves, disk, "src/compute/", ...llm("tokenizer", "data", "model", "optim")],
    browser: false,
  },
  ...llm("pretrain", "sft", "reward", "rl", "eval").map((prefix) => {
    return { prefix, mayImport: stage, browser: false };
  }),
  { prefix: "src/llm/report/", mayImport: [...stage, ...llm("eval")], browser: false },
  {
    prefix: "src/llm/grow/",
    mayImport: [...stage, ...llm("pretrain", "sft", "reward", "rl", "eval", "report")],
    browser: false,
  },
  { prefix: "src/llm/scaling/", mayImport: leaves, browser: false },
  { prefix: "src/durable/", mayImport: [...leaves, disk], browser: false },
  { prefix: "src/os/security/", mayImport: leaves, browser: true },
  { prefix: "src/os/plan/", mayImport: [...leaves, ...os("security")], browser: true },
  { prefix: "src/os/scheduler/", mayImport: leaves, browser: true },
  {
    prefix: "src/os/kernel/",
    mayImport: [...leaves, disk, "src/durable/", ...os("security", "scheduler")],
    browser: false,
  },
  {
    prefix: "src/os/memory/",
    mayImport: [...leaves, disk, "src/durable/", ...model, ...os("security", "kernel")],
    browser: false,
  },
  {
    prefix: "src/os/devices/",
    mayImport: [
      ...leaves,
      disk,
      "src/durable/",
      ...model,
      ...os("security", "plan", "scheduler", "kernel", "memory"),
    ],
    browser: false,
  },
  {
    prefix: "src/os/apps/",
    mayImport: [...leaves, disk, ...os("security", "kernel")],
    browser: false,
  },
  {
    prefix: "src/os/planner/",
    mayImport: [...leaves, ...model, ...os("security", "plan", "kernel", "memory", "apps")],
    browser: false,
  },
  {
    prefix: "src/os/",
    mayImport: [...leaves, disk, "src/durable/", ...model, ...os(...osParts)],
    browser: false,
  },
  {
    prefix: "src/server/",
    mayImport: [
      ...leaves,
      "src/os/",
      "src/llm/inference/engine.ts",
      "src/llm/chat/conversation.ts",
    ],
    browser: false,
  },
  { prefix: "src/web/", mayImport: ["src/llm/chat/tools/"], browser: true },
  {
    prefix: "src/cli/",
    mayImport: ["src/"],
    browser: false,
  },
  { prefix: "src/cli/nutshell.mjs", mayImport: ["setup.mjs"], browser: false },
  { prefix: "runs/", mayImport: anything, browser: false },
  { prefix: "bench/", mayImport: anything, browser: false },
  { prefix: "test/", mayImport: anything, browser: false },
  { prefix: "setup.mjs", mayImport: [], browser: false },
];

const root = `${dirname(import.meta.dirname)}/`;
const files = globSync(["setup.mjs", "{src,runs,bench,test}/**/*.{ts,mjs}"], { cwd: root })
  .filter((path) => !path.includes("node_modules/"))
  .sort()
  .map((path) => readImports(path, readFileSync(root + path, "utf8")));

function forbidden(path: string, text: string): string[] {
  return findForbiddenImports([readImports(path, text)], parts);
}

// In two pieces, or the scan of this very file would take it for one of its imports.
const dynamicImport = ["im", "port"].join("");

const broken: readonly [path: string, text: string, reason: string][] = [
  ["src/compute/a.ts", 'import { b } from "../llm/model/b.ts";', "src/compute/ may not import"],
  [
    "src/llm/model/a.ts",
    'import type { B } from "../../cli/command.ts";',
    "may not import src/cli/",
  ],
  [
    "src/llm/pretrain/a.ts",
    'export { b } from "../scaling/b.ts";',
    "may not import src/llm/scaling/",
  ],
  ["src/llm/scaling/a.ts", `${dynamicImport}("../model/b.ts")`, "may not import src/llm/model/"],
  ["src/llm/data/a.ts", 'import "../../../bench/b.ts";', "may not import bench/"],
  ["src/error.ts", 'import { b } from "./compute/b.ts";', "may not import src/compute/"],
  ["src/compute/a.ts", 'import { readFile } from "node:fs";', "not in browsers"],
  ["src/llm/model/a.ts", 'import { b } from "./b.node.ts";', "a *.node.ts file is not in browsers"],
  ["src/compute/a.ts", 'import koffi from "koffi";', "not in browsers"],
  ["src/os/security/a.ts", 'import { b } from "../kernel/b.ts";', "may not import src/os/kernel/"],
  ["src/os/kernel/a.ts", 'import { b } from "../devices/b.ts";', "may not import src/os/devices/"],
  ["src/os/a.ts", 'import { b } from "../llm/engines/b.ts";', "may not import src/llm/engines/"],
  ["src/llm/evil/a.ts", "", "is in no part of the table"],
];

for (const [path, text, reason] of broken) {
  test(`the rules refuse ${path} with ${text || "no row"}`, () => {
    const [line, ...more] = forbidden(path, text);
    assert.deepEqual(more, []);
    assert.ok(line?.includes(reason), line);
  });
}

test("imports are read wherever they may stand, and nowhere else", () => {
  const text = [
    "#!/usr/bin/env node",
    'import a, { type B } from "./a.ts";',
    "import {\n  c,\n} from '../c.ts'; import * as d from \"node:fs\";",
    'export * from "./e.ts";',
    'export type { F } from "./f.ts";',
    '/** import g from "./g.ts" */',
    '// import h from "./h.ts"',
    `const load = () => ${dynamicImport}("./i.ts");`,
    "const notOne = \"import j from './j.ts'\";",
    'import "./k.ts";',
  ].join("\n");
  const names = ["x/a.ts", "c.ts", "node:fs", "x/e.ts", "x/f.ts", "x/i.ts", "x/k.ts"];
  assert.deepEqual(readImports("x/y.ts", text).imports, names);
});

test("a cycle is found through any number of files", () => {
  const ring = ["a", "b", "c"].map((name, i) => ({
    path: name,
    imports: ["b", "c", "a"].slice(i, i + 1),
  }));
  assert.deepEqual(findCycles([...ring, { path: "d", imports: ["a"] }]), [["a", "b", "c", "a"]]);
  assert.deepEqual(findCycles(ring.slice(1)), []);
});

test("every import of the project goes where it may", () => {
  assert.ok(files.length > 20, `only ${files.length} files found`);
  assert.deepEqual(findForbiddenImports(files, parts), []);
});

test("no imports in circles", () => {
  assert.deepEqual(findCycles(files), []);
});

test("no folder is named for nothing, no index file re-exports", () => {
  const vague = ["utils", "common", "core", "helpers", "manager", "shared", "misc"];
  const folders = new Set(files.flatMap(({ path }) => dirname(path).split("/")));
  assert.deepEqual(
    vague.filter((name) => folders.has(name)),
    [],
  );
  assert.deepEqual(
    files.filter(({ path }) => basename(path) === "index.ts"),
    [],
  );
});

test("the compiler refuses an upward import as well", () => {
  const folder = mkdtempSync(join(tmpdir(), "nutshell-upward-"));
  const configs = ["tsconfig.base.json", ...["", "compute/", "llm/"].map(configOf)];
  for (const config of configs) cpSync(root + config, join(folder, config));
  symlinkSync(`${root}node_modules`, join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  writeFileSync(join(folder, "src/leaf.ts"), "export const leaf = 1;");
  writeFileSync(join(folder, "src/llm/b.ts"), 'import "../compute/a.ts";\nexport const b = 1;');
  const compile = (text: string) => {
    writeFileSync(join(folder, "src/compute/a.ts"), text);
    const tsc = `${root}node_modules/typescript/bin/tsc`;
    const args = [tsc, "-b", join(folder, "src/llm")];
    return spawnSync(process.execPath, args, { encoding: "utf8" });
  };
  const downward = compile('export { leaf } from "../leaf.ts";');
  assert.equal(downward.status, 0, downward.stdout);
  const upward = compile('export { b } from "../llm/b.ts";');
  assert.match(upward.stdout, /compute\/a\.ts.* error TS6307: .*llm\/b\.ts/);
  rmSync(folder, { recursive: true });
});

function configOf(part: string): string {
  return `src/${part}tsconfig.json`;
}
