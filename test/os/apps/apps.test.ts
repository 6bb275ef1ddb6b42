/** Apps: the built-in ones load, hostile folders are refused by name, and nothing is ever widened. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { NutshellError } from "../../../src/error.ts";
import { builtinFolder, findApps, loadApp, openApp } from "../../../src/os/apps/app.node.ts";
import { createAppCalls } from "../../../src/os/apps/calls.ts";
import { grantTo } from "../../../src/os/apps/grant.ts";
import { parseManifest } from "../../../src/os/apps/manifest.ts";
import { readSkillFile } from "../../../src/os/apps/skill-file.ts";
import { listSkills } from "../../../src/os/apps/skills.node.ts";
import { readWorkspaceInstructions } from "../../../src/os/apps/workspace-instructions.node.ts";
import { isTrusted, labelOf } from "../../../src/os/security/label.ts";
import type { Json } from "../../../src/os/security/labelled.ts";
import { contextOf } from "../devices/files-scene.ts";

const calls = ["calculator.evaluate", "clock.now", "files.read", "files.write", "files.list"];
const others = ["files.search", "files.stat", "files.append", "human.ask", "apps.read", "llm.ask"];
const all = [...calls, ...others, "llm.generate", "llm.models", "memory.search"];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "nutshell-apps-"));
});
after(() => rm(folder, { recursive: true }));

async function put(path: string, text: string): Promise<string> {
  const at = join(folder, path);
  await mkdir(dirname(at), { recursive: true });
  await writeFile(at, text);
  return at;
}

test("every built-in app loads, and its skills may be used", async () => {
  const apps = await findApps([builtinFolder]);
  assert.deepEqual([...apps.keys()].sort(), ["assistant", "researcher"]);
  for (const name of apps.keys()) {
    const app = await openApp(name, [builtinFolder], all);
    assert.ok(app.instructions.length > 50);
    assert.deepEqual(
      app.skills.filter(({ fault }) => fault !== undefined),
      [],
    );
  }
  await assert.rejects(openApp("asistant", [builtinFolder], all), /Did you mean "assistant"/);
});

const fine = { name: "x", description: "d" };
const refused: readonly [what: string, manifest: unknown, said: RegExp][] = [
  ["an unknown key", { ...fine, device: [] }, /unknown key "device"\. Did you mean "devices"/],
  ["a call that is not", { ...fine, devices: ["file.read"] }, /Did you mean "files\.read"/],
  ["a mode that is not", { ...fine, mode: "opne" }, /Did you mean "open"/],
  ["a path that climbs", { ...fine, knowledge: ["../secret"] }, /within the folder/],
  ["an absolute path", { ...fine, instructions: "/etc/passwd" }, /within the folder/],
  ["a dotfile", { ...fine, knowledge: [".env"] }, /within the folder/],
  ["a name like a path", { ...fine, name: "../x" }, /"name" must/],
  ["no description", { name: "x" }, /must have "description"/],
  ["a limit below nothing", { ...fine, budget: { tokens: -1 } }, /not negative/],
  ["a limit that is not", { ...fine, budget: { token: 1 } }, /Did you mean "tokens"/],
  ["a list", [], /must be an object/],
  [
    "a right of two kinds",
    { ...fine, devices: [{ call: "files.read", where: { path: { under: "a", atMost: 1 } } }] },
    /one of oneOf/,
  ],
];

for (const [what, manifest, said] of refused) {
  test(`a manifest with ${what} is refused`, () => {
    const parse = () => parseManifest(JSON.stringify(manifest), "x/app.json", calls);
    assert.throws(parse, (error: unknown) => {
      assert.ok(error instanceof NutshellError && error.code === "MANIFEST");
      assert.match(error.message, said);
      return true;
    });
  });
}

test("names of prototypes are refused wherever they stand", () => {
  for (const text of [
    '{"__proto__": {"mode": "open"}, "name": "x", "description": "d"}',
    '{"name": "x", "description": "d", "budget": {"constructor": 1}}',
    '{"name":"x","description":"d","devices":[{"call":"files.read","where":{"__proto__":{"under":"a"}}}]}',
  ])
    assert.throws(() => parseManifest(text, "x", calls), /must not have a key/);
  const huge = JSON.stringify({ ...fine, description: "d".repeat(100_000) });
  assert.throws(() => parseManifest(huge, "x", calls), /bytes at most/);
  const deep = `${"[".repeat(100)}${"]".repeat(100)}`;
  assert.throws(() => parseManifest(`{"name": ${deep}}`, "x", calls), /levels/);
});

test("any text is a manifest or a MANIFEST error, never anything else", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.object().map((one) => JSON.stringify(one)),
      ),
      (text) => {
        try {
          parseManifest(text, "x", calls);
        } catch (error) {
          assert.ok(error instanceof NutshellError && error.code === "MANIFEST", String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("a link in an app's folder does not lead out of it", async () => {
  await put(
    "evil/app.json",
    JSON.stringify({ ...fine, name: "evil", knowledge: ["k/secret.txt"] }),
  );
  await put("evil/instructions.md", "hi");
  await put("secret.txt", "SECRET");
  await mkdir(join(folder, "evil/k"));
  await symlink(join(folder, "secret.txt"), join(folder, "evil/k/secret.txt"));
  await assert.rejects(loadApp(join(folder, "evil"), all), /got a link/);
  await rm(join(folder, "evil/k"), { recursive: true });
  await symlink(folder, join(folder, "evil/k"));
  await assert.rejects(loadApp(join(folder, "evil"), all), /got a link/);
});

test("an app gets what its person hands over, and not more", () => {
  const asked = ["*", "files.*", { call: "files.read", where: { path: { under: "docs" } } }];
  const manifest = parseManifest(
    JSON.stringify({ ...fine, devices: asked, budget: { tokens: 1e6, calls: 5 } }),
    "x",
    calls,
  );
  const held = {
    capabilities: [{ call: "files.read", where: { path: { under: "docs" } } }],
    budget: { tokens: 10, ms: 7 },
  };
  const { capabilities, refused: no, budget } = grantTo(manifest, held);
  assert.deepEqual(capabilities, [asked[2]]);
  assert.equal(no.length, 2);
  assert.deepEqual(budget, { tokens: 10, calls: 5, ms: 7 });
  const limits = (bits: number, own?: number) => {
    const mine = { ...manifest, budget: { influenceBits: bits } };
    const person = own === undefined ? {} : { budget: { influenceBits: own } };
    return grantTo(mine, { capabilities: [], ...person }).budget.influenceBits;
  };
  assert.deepEqual([limits(1e6), limits(3), limits(1e6, 40), limits(3, 40)], [16, 3, 40, 40]);
});

test("instructions of a workspace come root first, nearest last", async () => {
  await put("work/AGENTS.md", "root");
  await put("work/CLAUDE.md", "not this");
  await put("work/a/GEMINI.md", "a");
  await put("work/a/b/CLAUDE.md", "b");
  await put("work/a/b/AGENTS.md", "nearest");
  const root = join(folder, "work");
  const paths = (await readWorkspaceInstructions(root, "a/b")).map(({ path }) => path);
  assert.deepEqual(paths, ["AGENTS.md", "a/GEMINI.md", "a/b/AGENTS.md"]);
  assert.deepEqual(await readWorkspaceInstructions(root, "../.."), [
    { path: "AGENTS.md", text: "root" },
  ]);
});

test("instructions that lead out of the workspace are named and not read", async () => {
  await put("odd/inside.md", "inside");
  const root = join(folder, "odd");
  await symlink(join(folder, "secret.txt"), join(root, "AGENTS.md"));
  const [found] = await readWorkspaceInstructions(root);
  assert.match(found?.text ?? "", /^\(not read/);
  await rm(join(root, "AGENTS.md"));
  await symlink("inside.md", join(root, "AGENTS.md"));
  assert.deepEqual(await readWorkspaceInstructions(root), [{ path: "AGENTS.md", text: "inside" }]);
});

test("a pipe that stands for instructions holds nobody up", { timeout: 5000 }, async () => {
  const path = join(folder, "pipes/AGENTS.md");
  await mkdir(dirname(path), { recursive: true });
  execFileSync("mkfifo", [path]);
  // Without an end to the wait, whoever writes lets the test go.
  const help = setTimeout(() => void writeFile(path, "late"), 3000);
  const began = performance.now();
  const [found] = await readWorkspaceInstructions(join(folder, "pipes"));
  clearTimeout(help);
  assert.match(found?.text ?? "", /not read/);
  assert.ok(performance.now() - began < 2000);
});

test("instructions of a workspace are foreign text to a process that asks for them", async () => {
  const row = createAppCalls({ apps: [] }).find(({ name }) => name === "apps.instructions");
  const args = { value: { path: "a/b/c.ts" }, labels: { label: labelOf("user") } };
  const found = await row?.run(args, contextOf({ tree: `host:${join(folder, "work")}` }));
  assert.deepEqual(found?.value, [
    { path: "AGENTS.md", text: "root" },
    { path: "a/GEMINI.md", text: "a" },
    { path: "a/b/AGENTS.md", text: "nearest" },
  ]);
  assert.ok(found?.labels !== undefined && !isTrusted(found.labels.label));
  const none = await row?.run(args, contextOf({ tree: "private" }));
  assert.deepEqual(none?.value, []);
});

const skills: readonly [name: string, text: string, fault: RegExp | undefined][] = [
  ["fine", '---\nname: fine\ndescription: "What it does: and when"\n---\nBody.\n', undefined],
  ["folded", "---\nname: folded\ndescription: >\n  two\n  lines\nlicense: MIT\n---\nx", undefined],
  ["meta", "---\nname: meta\ndescription: d\nmetadata:\n  version: '1'\nother: y\n---", undefined],
  ["Upper", "---\nname: Upper\ndescription: d\n---\n", /a-z/],
  ["other", "---\nname: another\ndescription: d\n---\n", /the folder's/],
  ["none", "just text", /front matter/],
  ["-dash", "---\nname: -dash\ndescription: d\n---\n", /a-z/],
  ["long", `---\nname: long\ndescription: ${"d".repeat(1025)}\n---\n`, /1024/],
];

for (const [name, text, fault] of skills) {
  test(`the skill ${name} is ${fault === undefined ? "read" : "refused"}`, () => {
    const read = readSkillFile(text, name);
    if (fault === undefined) assert.ok(!("fault" in read) && read.name === name);
    else assert.ok("fault" in read && fault.test(read.fault), JSON.stringify(read));
  });
}

test("front matter is read as skills write it", () => {
  const read = (name: string) =>
    readSkillFile(skills.find(([one]) => one === name)?.[1] ?? "", name);
  assert.deepEqual(read("fine"), {
    name: "fine",
    description: "What it does: and when",
    body: "Body.",
    metadata: {},
    allowedTools: [],
  });
  assert.ok("description" in read("folded"));
  assert.deepEqual((read("folded") as { description: string }).description, "two lines");
  assert.deepEqual((read("meta") as { metadata: object }).metadata, { version: "1" });
});

test("skills are listed by name and read when wanted, nothing beside them", async () => {
  await put("ws/.agents/skills/fine/SKILL.md", "---\nname: fine\ndescription: d\n---\nDo it.");
  await put("ws/.agents/skills/fine/references/more.md", "More.");
  await put("ws/.agents/skills/bad/SKILL.md", "nothing");
  await put("ws/secret.txt", "SECRET");
  const listed = await listSkills([join(folder, "ws"), ".agents/skills"]);
  assert.deepEqual(
    listed.map(({ name, fault }) => [name, fault === undefined]),
    [
      ["bad", false],
      ["fine", true],
    ],
  );
  const rows = createAppCalls({ apps: [builtinFolder], home: join(folder, "ws") });
  const row = rows.find(({ name }) => name === "apps.skill");
  const read = async (args: Json) => {
    const context = contextOf({ tree: `host:${join(folder, "ws")}` });
    return row?.run({ value: args, labels: { label: labelOf("user") } }, context);
  };
  const own = await read({ skill: "user/fine" });
  assert.equal(own?.value, "Do it.");
  assert.ok(own?.labels !== undefined && isTrusted(own.labels.label));
  const foreign = await read({ skill: "workspace/fine", file: "references/more.md" });
  assert.equal(foreign?.value, "More.");
  assert.ok(foreign?.labels !== undefined && !isTrusted(foreign.labels.label));
  const app = await read({ skill: "researcher/cite-sources" });
  assert.match(String(app?.value), /brackets/);
  for (const args of [
    { skill: "workspace/bad" },
    { skill: "workspace/fine", file: "../../../secret.txt" },
    { skill: "workspace/fine", file: "references/../../../../secret.txt" },
    { skill: "workspace/../../ws" },
    { skill: "nobody/fine" },
  ])
    await assert.rejects(read(args), /must be a skill/);
});
