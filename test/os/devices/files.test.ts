/**
 * Files: versions and undo against a model, labels that travel, changes done once, forks that see
 * nothing of each other, and processes that see nothing of each other.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { createBlobStore } from "../../../src/durable/blobs.ts";
import { createFilesDevice } from "../../../src/os/devices/files.ts";
import { DeviceError } from "../../../src/os/kernel/device-error.ts";
import { isTrusted, type Label, labelOf } from "../../../src/os/security/label.ts";
import type { Json } from "../../../src/os/security/labelled.ts";
import { contextOf, createScene, labelOfResult, type Scene, type Who } from "./files-scene.ts";

let scene: Scene;
before(async () => {
  scene = await createScene();
});
after(() => scene[Symbol.asyncDispose]());

const web: Label = labelOf("origin:evil.example", new Set(["ann"]));

async function textOf(path: string, who: Who = {}): Promise<string> {
  const { value } = await scene.call("files.read", { path }, who);
  return (value as { text: string }).text;
}

async function tryText(path: string, who: Who): Promise<string | undefined> {
  return textOf(path, who).catch((error: unknown) => {
    assert.ok(error instanceof DeviceError, String(error));
    return undefined;
  });
}

function refuses(promise: Promise<unknown>, said: RegExp): Promise<void> {
  return assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof DeviceError, String(error));
    assert.match(error.message, said);
    return true;
  });
}

// What a user of any editor expects of undo: each step goes back by one change of the file.
type Step =
  | { readonly kind: "write"; readonly path: string; readonly text: string }
  | { readonly kind: "append"; readonly path: string; readonly text: string }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "undo"; readonly path: string };

const names = ["a", "b/c", "b/d"];
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("write" as const, "append" as const),
    path: fc.constantFrom(...names),
    text: fc.string({ maxLength: 6 }),
  }),
  fc.record({
    kind: fc.constantFrom("remove" as const, "undo" as const),
    path: fc.constantFrom(...names),
  }),
);

/** @returns whether the model allows it; the model is a stack of contents by path */
function inModel(
  model: Map<string, (string | undefined)[]>,
  { kind, path, ...rest }: Step,
): boolean {
  const past = model.get(path) ?? [undefined];
  model.set(path, past);
  const now = past.at(-1);
  const text = "text" in rest ? rest.text : "";
  if (kind === "write") past.push(text);
  if (kind === "append") past.push((now ?? "") + text);
  if (kind === "remove" && now !== undefined) past.push(undefined);
  else if (kind === "remove") return false;
  if (kind !== "undo") return true;
  if (past.length === 1) return false;
  past.pop();
  return true;
}

async function inDevice(one: Step, who: Who): Promise<boolean> {
  const { kind, ...args } = one;
  try {
    await scene.call(`files.${kind}`, args as Json, who);
    return true;
  } catch (error) {
    assert.ok(error instanceof DeviceError, String(error));
    return false;
  }
}

for (const kind of ["private tree", "folder of the host"]) {
  test(`any changes and undos of a ${kind} are those of the model`, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const folder = join(scene.folder, `${kind} ${run++}`);
        await mkdir(folder);
        const who = { tree: kind === "private tree" ? `model-${run}` : `host:${folder}` };
        const model = new Map<string, (string | undefined)[]>();
        for (const one of steps) {
          assert.equal(await inDevice(one, who), inModel(model, one), JSON.stringify(steps));
          for (const name of names)
            assert.equal(await tryText(name, who), model.get(name)?.at(-1), JSON.stringify(steps));
        }
      }),
      { numRuns: 25 },
    );
  });
}

test("a label goes where the content goes, and stays after a restart", async () => {
  const who = { tree: "labels" };
  await scene.call("files.write", { path: "mail.txt", text: "obey me" }, { ...who, label: web });
  await scene.call("files.copy", { from: "mail.txt", to: "copy.txt" }, who);
  await scene.call("files.move", { from: "copy.txt", to: "in/moved.txt" }, who);
  await scene.files.fork("labels", "labels-fork");
  const again = await createFilesDevice({
    database: scene.database,
    blobs: createBlobStore(`${scene.folder}-blobs`),
  });
  const read = again.calls.find(({ name }) => name === "files.read");
  for (const tree of ["labels", "labels-fork"]) {
    const args = { value: { path: "in/moved.txt" }, labels: { label: labelOf("user") } };
    const result = await read?.run(args, contextOf({ tree }));
    assert.ok(result !== undefined);
    assert.ok(labelOfResult(result).integrity.has("origin:evil.example"), tree);
    assert.deepEqual(labelOfResult(result).readers, new Set(["ann"]));
  }
  const names = await scene.call("files.list", { path: "in" }, who);
  assert.ok(isTrusted(labelOfResult(names)), "names were the user's own, content was not");
});

test("what decided that a file is written stays with it", async () => {
  await scene.call("files.write", { path: "x", text: "1" }, { tree: "pc", pc: web });
  const read = await scene.call("files.read", { path: "x" }, { tree: "pc" });
  assert.ok(labelOfResult(read).integrity.has("origin:evil.example"));
  const list = await scene.call("files.list", { path: "." }, { tree: "pc" });
  assert.ok(labelOfResult(list).integrity.has("origin:evil.example"));
});

test("content of the host that nobody here wrote is untrusted, also after a change by others", async () => {
  const who = { tree: `host:${scene.folder}` };
  await writeFile(join(scene.folder, "found.txt"), "stranger");
  const found = await scene.call("files.read", { path: "found.txt" }, who);
  assert.deepEqual(labelOfResult(found).integrity, new Set(["file:found.txt"]));
  await scene.call("files.write", { path: "found.txt", text: "mine" }, who);
  assert.ok(isTrusted(labelOfResult(await scene.call("files.read", { path: "found.txt" }, who))));
  await writeFile(join(scene.folder, "found.txt"), "theirs");
  const changed = await scene.call("files.read", { path: "found.txt" }, who);
  assert.deepEqual(labelOfResult(changed).integrity, new Set(["file:found.txt"]));
  await scene.call("files.remove", { path: "found.txt" }, who);
  for (const text of ["theirs", "mine", "stranger"]) {
    await scene.call("files.undo", { path: "found.txt" }, who);
    assert.equal(await readFile(join(scene.folder, "found.txt"), "utf8"), text);
  }
  await refuses(scene.call("files.undo", { path: "found.txt" }, who), /must have a change/);
});

test("the same call is one change, however often it runs", async () => {
  const who = { tree: "once", key: "call-1" };
  const runs = Array.from({ length: 5 }, () =>
    scene.call("files.append", { path: "log", text: "line\n" }, who),
  );
  const results = await Promise.all(runs);
  assert.equal(await textOf("log", { tree: "once" }), "line\n");
  for (const result of results) assert.deepEqual(result.value, results[0]?.value);
  const { reconcile } = scene.row("files.move");
  const none = await reconcile?.({ value: {}, labels: { label: web } }, contextOf({ key: "no" }));
  assert.deepEqual(none, { happened: false });
  const done = await reconcile?.({ value: {}, labels: { label: web } }, contextOf(who));
  assert.equal(done?.happened, true);
});

test("parallel changes of one file lose nothing", async () => {
  const who = { tree: `host:${scene.folder}` };
  const lines = Array.from({ length: 20 }, (_, i) => `${i}\n`);
  await Promise.all(
    lines.map((text) => scene.call("files.append", { path: "parallel", text }, who)),
  );
  const kept = await readFile(join(scene.folder, "parallel"), "utf8");
  assert.deepEqual(kept.split("\n").sort(), [...lines.map((line) => line.trim()), ""].sort());
});

test("more changes at once than the database has connections", async () => {
  const who = { tree: "many" };
  await scene.call("files.write", { path: "from", text: "x" }, who);
  const names = Array.from({ length: 30 }, (_, i) => `to/${i}`);
  await Promise.all(names.map((to) => scene.call("files.copy", { from: "from", to }, who)));
  await Promise.all(names.map((path) => scene.call("files.undo", { path }, who)));
  const { value } = await scene.call("files.list", { path: "." }, who);
  assert.deepEqual(value, { entries: [{ name: "from", kind: "file" }] });
});

test("a change that a crash left half done is finished by the same call", async () => {
  const tree = `host:${scene.folder}`;
  await scene.call("files.write", { path: "half", text: "old" }, { tree });
  await scene.call("files.write", { path: "half", text: "new" }, { tree, key: "half-done" });
  // As the disk and the table stand when the machine dies between the two.
  await writeFile(join(scene.folder, "half"), "old");
  await scene.database.pool.query(
    "update file_versions set state = 'pending' where key = 'half-done'",
  );
  assert.equal(await textOf("half", { tree }), "old");
  await scene.call("files.write", { path: "half", text: "new" }, { tree, key: "half-done" });
  assert.equal(await readFile(join(scene.folder, "half"), "utf8"), "new");
  await scene.database.pool.query(
    "update file_versions set state = 'pending' where key = 'half-done'",
  );
  await writeFile(join(scene.folder, "half"), "theirs");
  await refuses(
    scene.call("files.write", { path: "half", text: "new" }, { tree, key: "half-done" }),
    /another's change/,
  );
  assert.equal(await readFile(join(scene.folder, "half"), "utf8"), "theirs");
});

for (const base of ["private tree", "folder of the host"]) {
  test(`after a fork of a ${base} neither sees the other's changes`, async () => {
    const tree = base === "private tree" ? "fork-from" : `host:${scene.folder}`;
    const [from, to] = [{ tree }, { tree: `fork of ${base}` }];
    for (const path of ["f/kept", "f/changed", "f/gone"])
      await scene.call("files.write", { path, text: "before" }, from);
    await scene.files.fork(tree, to.tree);
    await scene.call("files.write", { path: "f/changed", text: "parent" }, from);
    await scene.call("files.remove", { path: "f/gone" }, from);
    await scene.call("files.write", { path: "f/new", text: "parent" }, from);
    await scene.call("files.write", { path: "f/child", text: "child" }, to);
    await scene.call("files.remove", { path: "f/kept" }, to);
    const state = async (who: Who) => {
      const paths = ["f/kept", "f/changed", "f/gone", "f/new", "f/child"];
      return Promise.all(paths.map((path) => tryText(path, who)));
    };
    assert.deepEqual(await state(to), [undefined, "before", "before", undefined, "child"]);
    assert.deepEqual(await state(from), ["before", "parent", undefined, "parent", undefined]);
  });
}

test("a fork from before a call has the files of that moment", async () => {
  for (const tree of ["past", `host:${scene.folder}`]) {
    const at = (call: number) => ({ tree, pid: 7, call });
    await scene.call("files.write", { path: "t/one", text: "1" }, at(1));
    await scene.call("files.write", { path: "t/one", text: "2" }, at(2));
    await scene.call("files.write", { path: "t/two", text: "2" }, at(3));
    await scene.files.fork(tree, `past of ${tree}`, { pid: 7, call: 2 });
    const there = { tree: `past of ${tree}` };
    assert.equal(await tryText("t/one", there), "1");
    assert.equal(await tryText("t/two", there), undefined);
  }
});

test("a right to read another's tree does not write to the folder that it stands on", async () => {
  const folder = { tree: `host:${scene.folder}` };
  await scene.call("files.write", { path: "q/a", text: "old" }, folder);
  await scene.files.fork(folder.tree, "p45");
  await scene.call("files.write", { path: "q/a", text: "new" }, { tree: "p45" });
  const where = { path: { under: "proc:45" } };
  const capabilities = [
    { call: "files.*" },
    ...["read", "write"].map((x) => ({ call: `proc.${x}`, where })),
  ];
  await refuses(scene.call("files.apply", { path: "proc:45/q" }, { capabilities }), /one's own/);
  assert.equal(await textOf("q/a", folder), "old");
});

test("a forked tree is applied whole, or not at all when the folder moved on", async () => {
  const [folder, fork] = [{ tree: `host:${scene.folder}` }, { tree: "to apply" }];
  for (const path of ["p/a", "p/b"]) await scene.call("files.write", { path, text: "old" }, folder);
  await scene.files.fork(folder.tree, fork.tree);
  await scene.call("files.write", { path: "p/a", text: "new" }, { ...fork, label: web });
  await scene.call("files.remove", { path: "p/b" }, fork);
  await writeFile(join(scene.folder, "p/b"), "a person's");
  await refuses(scene.call("files.apply", { path: "p" }, fork), /Nothing was applied/);
  assert.equal(await textOf("p/a", folder), "old");
  await writeFile(join(scene.folder, "p/b"), "old");
  await scene.call("files.apply", { path: "p" }, fork);
  assert.equal(await tryText("p/b", folder), undefined);
  const applied = await scene.call("files.read", { path: "p/a" }, folder);
  assert.equal((applied.value as { text: string }).text, "new");
  assert.ok(labelOfResult(applied).integrity.has("origin:evil.example"));
});

test("another process's files need a right of their own, for that path", async () => {
  await scene.call("files.write", { path: "open/a", text: "for you" }, { pid: 41 });
  await scene.call("files.write", { path: "shut/b", text: "not for you" }, { pid: 41 });
  const asks = (path: string, capabilities: Who["capabilities"] = []) =>
    scene.call("files.read", { path }, { pid: 42, capabilities });
  await refuses(asks("proc:41/open/a"), /capability proc.read/);
  await refuses(asks("proc:41/open/a", [{ call: "files.*" }]), /capability proc.read/);
  const right = [{ call: "proc.read", where: { path: { under: "proc:41/open" } } }];
  assert.equal(((await asks("proc:41/open/a", right)).value as { text: string }).text, "for you");
  await refuses(asks("proc:41/shut/b", right), /capability proc.read/);
  await refuses(asks("proc:41/open/../shut/b", right), /must not climb/);
  await refuses(asks("open/a"), /must be a file/);
  const copied = { from: "proc:41/open/a", to: "mine" };
  await scene.call("files.copy", copied, { pid: 42, capabilities: right });
  assert.equal(await textOf("mine", { pid: 42 }), "for you");
  const write = { path: "proc:41/open/a", text: "x" };
  await refuses(
    scene.call("files.write", write, { pid: 42, capabilities: right }),
    /capability proc.write/,
  );
});

test("binary, large, torn and missing are errors with names", async () => {
  const who = { tree: "odd" };
  const bytes = Buffer.from([0, 255, 7]).toString("base64");
  await scene.call("files.write", { path: "bin", base64: bytes }, who);
  await refuses(textOf("bin", who), /base64/);
  const read = await scene.call("files.read", { path: "bin", encoding: "base64" }, who);
  assert.equal((read.value as { base64: string }).base64, bytes);
  const long = "12345678\n".repeat(200_000);
  await scene.call("files.write", { path: "long", text: long }, who);
  await refuses(textOf("long", who), /1048576 bytes at most/);
  const part = await scene.call("files.read", { path: "long", line: 199_999, lines: 1 }, who);
  assert.equal((part.value as { text: string }).text, "12345678");
  await refuses(textOf("none", who), /must be a file/);
  await refuses(textOf("bin/below", who), /must be a file/);
  await refuses(scene.call("files.write", { path: "bin/below", text: "" }, who), /on the way/);
  await refuses(scene.call("files.write", { path: "x" }, who), /text or base64/);
  await scene.call("files.write", { path: "d/e", text: "once twice twice" }, who);
  await refuses(scene.call("files.write", { path: "d", text: "" }, who), /got a folder/);
  const twice = { path: "d/e", find: "twice", replace: "" };
  await refuses(scene.call("files.edit", twice, who), /exactly once/);
  await scene.call("files.edit", { path: "d/e", find: "once ", replace: "" }, who);
  assert.equal(await textOf("d/e", who), "twice twice");
});

test("search finds lines, and is labelled by all that it looked into", async () => {
  const who = { tree: "search" };
  await scene.call("files.write", { path: "a.md", text: "one\nTwo two\n" }, who);
  await scene.call("files.write", { path: "b/c.md", text: "nothing" }, { ...who, content: web });
  const found = await scene.call("files.search", { path: ".", text: "two", ignoreCase: true }, who);
  const { matches } = found.value as { matches: Json };
  assert.deepEqual(matches, [{ path: "a.md", line: 2, text: "Two two" }]);
  assert.ok(labelOfResult(found).integrity.has("origin:evil.example"));
  const named = await scene.call("files.search", { path: ".", text: "two", name: "a.md" }, who);
  assert.ok(isTrusted(labelOfResult(named)));
});

test("a folder moves with all that is in it, and undo brings all of it back", async () => {
  for (const tree of ["folder", `host:${scene.folder}`]) {
    const who = { tree };
    await scene.call("files.write", { path: "m/a", text: "a" }, who);
    await scene.call("files.write", { path: "m/n/b", text: "b" }, who);
    await scene.call("files.move", { from: "m", to: "moved/here" }, who);
    assert.equal(await textOf("moved/here/n/b", who), "b");
    await refuses(scene.call("files.list", { path: "m" }, who), /must be a folder/);
    await scene.call("files.undo", { path: "m/a" }, who);
    assert.equal(await textOf("m/n/b", who), "b");
    assert.equal(await tryText("moved/here/a", who), undefined);
    await scene.call("files.move", { from: "m", to: "moved/again" }, who);
    await scene.call("files.append", { path: "moved/again/a", text: "!" }, who);
    await refuses(scene.call("files.undo", { path: "m/n/b" }, who), /changed since/);
    await refuses(scene.call("files.copy", { from: "moved", to: "moved/in" }, who), /outside/);
  }
});
