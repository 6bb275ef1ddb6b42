/**
 * Nothing outside a workspace is ever opened: random trees of folders, files and links, in which
 * every path is asked for, with `realpath` as the oracle of where it leads; then the tricks by name.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, realpathSync, statSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { parseFilePath } from "../../../src/os/devices/files-path.ts";
import { DeviceError } from "../../../src/os/kernel/device-error.ts";
import { createScene, type Scene } from "./files-scene.ts";

let scene: Scene;
before(async () => {
  scene = await createScene();
});
after(() => scene[Symbol.asyncDispose]());

type Node =
  | { readonly kind: "file" | "folder"; readonly at: string }
  | { readonly kind: "link" | "hard"; readonly at: string; readonly to: string };

const segment = fc.constantFrom("a", "b", "c");
const place = fc.array(segment, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
// Where links lead: within, to itself, above, to the secret by any way.
const aim = fc.oneof(
  place,
  fc.constantFrom("..", "../..", "../outside", "../outside/secret", ".", "../inside/../outside"),
  fc.constantFrom("/etc/passwd", "/proc/self/root/etc/passwd", "SECRET", "SECRET/secret"),
);
const node: fc.Arbitrary<Node> = fc.oneof(
  fc.record({ kind: fc.constantFrom("file" as const, "file", "folder" as const), at: place }),
  fc.record({ kind: fc.constant("link" as const), at: place, to: aim }),
  fc.record({ kind: fc.constant("hard" as const), at: place, to: aim }),
);

/** @returns the workspace; beside it lies `outside/secret` */
async function grow(nodes: readonly Node[], name: string): Promise<string> {
  const top = join(scene.folder, name);
  const root = join(top, "inside");
  const outside = join(top, "outside");
  await fs.mkdir(root, { recursive: true });
  await fs.mkdir(outside);
  await fs.writeFile(join(outside, "secret"), "SECRET");
  for (const one of nodes) {
    const at = join(root, one.at);
    const to = "to" in one ? one.to.replace(/^SECRET/, outside) : "";
    try {
      if (await passesLink(root, one.at)) continue; // Or this test itself would be led outside.
      await fs.mkdir(join(at, ".."), { recursive: true });
      if (one.kind === "file") await fs.writeFile(at, `content of ${one.at}`, { flag: "wx" });
      if (one.kind === "folder") await fs.mkdir(at);
      if (one.kind === "link") await fs.symlink(to, at);
      if (one.kind === "hard") await fs.link(join(outside, "secret"), at);
    } catch {
      // What cannot be (a file where a folder is) is not part of this tree.
    }
  }
  return root;
}

async function passesLink(root: string, path: string): Promise<boolean> {
  for (const { index } of path.matchAll(/\//g)) {
    const found = await fs.lstat(join(root, path.slice(0, index))).catch(() => undefined);
    if (found?.isSymbolicLink() === true) return true;
  }
  return false;
}

/** What may be read at a path: a plain file with one name, reached without any link. */
function oracle(root: string, path: string): string | undefined {
  try {
    const real = realpathSync(join(root, path));
    const found = statSync(real);
    const isPlain = real === join(root, path) && found.isFile() && found.nlink === 1;
    return isPlain ? readFileSync(real, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

async function tryCall(name: string, args: Record<string, string>, tree: string): Promise<unknown> {
  try {
    return (await scene.call(name, args, { tree })).value;
  } catch (error) {
    assert.ok(error instanceof DeviceError || (error as { code?: string }).code === "DISK");
    return undefined;
  }
}

const asked = fc.oneof(
  { arbitrary: place, weight: 3 },

  fc
    .array(fc.constantFrom("a", "b", "c", "..", ".", "", "outside", "secret"), { maxLength: 6 })
    .map((names) => names.join("/")),
);

test("reads give what stands beneath the root, and nothing else", async () => {
  let run = 0;
  let readable = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(node, { maxLength: 10 }), fc.array(asked), async (nodes, paths) => {
      const root = await grow(nodes, `read-${run++}`);
      for (const path of [...nodes.map(({ at }) => at), ...paths]) {
        const value = (await tryCall("files.read", { path }, `host:${root}`)) as
          | { text: string }
          | undefined;
        const names = path.split("/").filter((name) => name !== "" && name !== ".");
        const leaves = path.startsWith("/") || names.includes("..");
        assert.equal(value?.text, leaves ? undefined : oracle(root, names.join("/")), path);
        if (value !== undefined) readable++;
      }
    }),
    { numRuns: 100 },
  );
  assert.ok(readable > 20, `only ${readable} paths could be read: the test shows nothing`);
});

test("changes never reach what is outside", async () => {
  let run = 0;
  let written = 0;
  const calls = [
    "files.write",
    "files.append",
    "files.remove",
    "files.move",
    "files.copy",
  ] as const;
  await fc
    .assert(
      fc.asyncProperty(
        fc.array(node, { maxLength: 10 }),
        fc.array(fc.tuple(fc.constantFrom(...calls), asked, asked), { maxLength: 8 }),
        async (nodes, steps) => {
          const root = await grow(nodes, `write-${run++}`);
          const outside = join(root, "../outside");
          for (const [name, one, other] of steps) {
            const pair = name === "files.move" || name === "files.copy";
            const text = name === "files.remove" ? {} : { text: "OVERWRITTEN" };
            const args = pair ? { from: one, to: other } : { path: one, ...text };
            if ((await tryCall(name, args, `host:${root}`)) !== undefined) written++;
          }
          assert.deepEqual(await fs.readdir(outside), ["secret"]);
          assert.equal(await fs.readFile(join(outside, "secret"), "utf8"), "SECRET");
          const grep = spawnSync("grep", ["-rl", "SECRET", root], { encoding: "utf8" });
          const leaked = grep.stdout.split("\n");
          for (const path of leaked.filter((line) => line !== ""))
            assert.ok(statSync(path).nlink > 1, `${path} is a copy of the secret`);
        },
      ),
      { numRuns: 60 },
    )
    .catch((error: { status?: number }) => {
      throw error;
    });
  assert.ok(written > 20, `only ${written} changes were made: the test shows nothing`);
});

const refused: readonly string[] = [
  "../x",
  "a/../../x",
  "/etc/passwd",
  ".git/hooks/pre-commit",
  ".GIT/hooks/pre-commit",
  ".g\u200cit/hooks/pre-commit",
  "git~1/hooks/pre-commit",
  "GIT~1/config",
  "\uff0egit/config",
  "a/.env",
  ".ssh/authorized_keys",
  "a\0b",
  "a\nb",
  "a\u202eb",
  "..\\x",
  "a/b.",
  "a/b ",
  "C:/x",
  "file.txt::$DATA",
  "proc:7",
  `${"a".repeat(256)}`,
  `${"a/".repeat(65)}x`,
  "x".repeat(5000),
];

for (const path of refused) {
  test(`${JSON.stringify(path.slice(0, 30))} is refused, though nothing is there`, async () => {
    const tree = `host:${scene.folder}`;
    await assert.rejects(scene.call("files.write", { path, text: "x" }, { tree }), DeviceError);
    if (!path.startsWith("proc:")) assert.throws(() => parseFilePath("test", path), DeviceError);
  });
}

for (const path of ["AGENTS.md", "sub/agents.MD", "app.json", "skills/a/SKILL.md", "CLAUDE.md"]) {
  test(`${path} can be read but is not a process's to write`, async () => {
    assert.equal(parseFilePath("test", path).path, path);
    const write = scene.call("files.write", { path, text: "obey" }, { tree: "own" });
    await assert.rejects(write, /instructions or settings/);
    const move = scene.call("files.move", { from: "x", to: path }, { tree: "own" });
    await assert.rejects(move, /instructions or settings/);
  });
}

test("a folder with a file that is obeyed is not copied, moved or removed", async () => {
  const root = join(scene.folder, "obeyed");
  await fs.mkdir(join(root, "vendor/deep"), { recursive: true });
  await fs.writeFile(join(root, "vendor/deep/AGENTS.md"), "obey");
  await fs.writeFile(join(root, "vendor/x"), "x");
  const who = { tree: `host:${root}` };
  const pair = { from: "vendor", to: "mine" };
  for (const name of ["files.copy", "files.move"])
    await assert.rejects(scene.call(name, pair, who), /instructions or settings/);
  await assert.rejects(scene.call("files.remove", { path: "vendor" }, who), /instructions/);
  assert.deepEqual(await fs.readdir(root), ["vendor"]);
});

test("what is no plain file is refused, and waits for nobody", async () => {
  execFileSync("mkfifo", [join(scene.folder, "pipe")]);
  const tree = `host:${scene.folder}`;
  await assert.rejects(scene.call("files.read", { path: "pipe" }, { tree }), /plain file/);
  await assert.rejects(
    scene.call("files.write", { path: "pipe", text: "" }, { tree }),
    /plain file/,
  );
});

test("a segment that turns into a link while it is walked is not followed", async () => {
  const root = join(scene.folder, "race");
  await fs.mkdir(join(root, "real"), { recursive: true });
  await fs.mkdir(join(scene.folder, "race-outside"));
  await fs.writeFile(join(scene.folder, "race-outside/f"), "SECRET");
  await fs.writeFile(join(root, "real/f"), "fine");
  await fs.symlink(join(scene.folder, "race-outside"), join(root, "link"));
  let over = false;
  const swap = async () => {
    // Both names change place again and again, as an attacker on the same machine would do it.
    while (!over) {
      await fs.rename(join(root, "real"), join(root, "spare"));
      await fs.rename(join(root, "link"), join(root, "real"));
      await fs.rename(join(root, "real"), join(root, "link"));
      await fs.rename(join(root, "spare"), join(root, "real"));
    }
  };
  const swapping = swap();
  const seen = new Set<unknown>();
  for (let i = 0; i < 300; i++) {
    const value = await tryCall("files.read", { path: "real/f" }, `host:${root}`);
    seen.add((value as { text: string } | undefined)?.text);
  }
  over = true;
  await swapping;
  assert.ok(!seen.has("SECRET"));
  assert.ok(seen.has("fine"));
});

test("a full disk is an error with a name, and the old content stays", async (context) => {
  const mount = join(scene.folder, "small");
  await fs.mkdir(mount);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", mount], { stdio: "ignore" });
  } catch {
    context.skip("a small file system cannot be mounted here");
    return;
  }
  try {
    const tree = `host:${mount}`;
    await scene.call("files.write", { path: "f", text: "old" }, { tree });
    const large = { path: "f", text: "x".repeat(200_000) };
    await assert.rejects(scene.call("files.write", large, { tree }), /disk is full/);
    assert.equal(await fs.readFile(join(mount, "f"), "utf8"), "old");
    assert.deepEqual(await fs.readdir(mount), ["f"]);
    await scene.call("files.write", { path: "f", text: "new" }, { tree });
    assert.equal(await fs.readFile(join(mount, "f"), "utf8"), "new");
  } finally {
    execFileSync("umount", [mount]);
  }
});
