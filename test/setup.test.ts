/** `setup.mjs` and the launcher as a shell meets them: exit codes, streams, time, no network. */
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

const root = dirname(import.meta.dirname);
const setup = join(root, "setup.mjs");

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, args, { encoding: "utf8", env: { ...process.env, ...env } });
}

test("with nothing to do it is silent and takes under a second", () => {
  const start = performance.now();
  const { status, stdout, stderr } = run([setup]);
  const seconds = (performance.now() - start) / 1000;
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
  assert.ok(seconds < 1, `${seconds} s`);
});

test("a command runs on Node 24 with its words, streams and exit code untouched", () => {
  const script = "console.log(process.versions.node, ...process.argv.slice(1)); process.exit(7)";
  const { status, stdout, stderr } = run([
    setup,
    "--",
    "node",
    "-e",
    script,
    "--",
    "--json",
    "a b",
  ]);
  assert.match(stdout, /^24\.\d+\.\d+ --json a b\n$/);
  assert.equal(stderr, "");
  assert.equal(status, 7);
});

test("a command that a signal ended exits with 128 and its number", () => {
  const script = "process.kill(process.pid, 'SIGKILL')";
  assert.equal(run([setup, "--", "node", "-e", script]).status, 137);
});

test("a command that does not exist is a one-line error", () => {
  const { status, stderr } = run([setup, "--", "no-such-command"]);
  assert.equal(status, 1);
  assert.match(stderr, /^setup: cannot start no-such-command: [^\n]+\n$/);
});

test("without a network it says so in one line and fails", () => {
  const folder = mkdtempSync(join(tmpdir(), "nutshell-setup-"));
  for (const name of ["setup.mjs", "package.json", "package-lock.json"]) {
    copyFileSync(join(root, name), join(folder, name));
  }
  // The lock of a setup that died must not stop this one: no process has this number.
  mkdirSync(join(folder, ".node"));
  writeFileSync(join(folder, ".node", "lock"), "4194305");
  const { status, stdout, stderr } = run([join(folder, "setup.mjs")], {
    npm_config_registry: "http://127.0.0.1:9",
    npm_config_cache: join(folder, "cache"),
  });
  rmSync(folder, { recursive: true });
  assert.equal(status, 1);
  assert.equal(stdout, "");
  assert.match(stderr.trimEnd().split("\n").at(-1) ?? "", /^setup: .*cannot reach .*ECONNREFUSED/);
});

test("the lockfile pins a hash for every package and names no host", () => {
  const text = readFileSync(join(root, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as { packages: Record<string, { integrity?: string }> };
  for (const [path, entry] of Object.entries(packages)) {
    if (path !== "") assert.match(entry.integrity ?? "", /^sha512-/, path);
  }
  assert.doesNotMatch(text, /"resolved"/);
});

test("the launcher works from another folder", () => {
  const launcher = join(root, "src/cli/nutshell.mjs");
  const options = { encoding: "utf8", cwd: tmpdir() } as const;
  const { status, stdout } = spawnSync(process.execPath, [launcher, "--version"], options);
  assert.equal(status, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});
