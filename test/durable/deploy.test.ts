/** Files for systemd and Kubernetes: well formed, and at one with each other and the command. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const unit = readFileSync(join(root, "deploy/systemd/nutshell.service"), "utf8");
const manifest = readFileSync(join(root, "deploy/kubernetes/nutshell.yaml"), "utf8");

// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the file
type Document = any;

/** By the parser that DBOS brings along. */
function documents(): Document[] {
  const require = createRequire(import.meta.resolve("@dbos-inc/dbos-sdk"));
  const { parseAllDocuments } = require("yaml");
  return parseAllDocuments(manifest, { strict: true, uniqueKeys: true }).map((one: Document) => {
    assert.deepEqual([...one.errors, ...one.warnings], []);
    return one.toJS();
  });
}

test("the manifests fit together", () => {
  const all = documents();
  const named = (kind: string): Document => all.find((one) => one.kind === kind);
  assert.deepEqual(
    all.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
    ["v1 Secret", "v1 Service", "apps/v1 StatefulSet", "policy/v1 PodDisruptionBudget"],
  );
  const { spec } = named("StatefulSet");
  const labels = spec.template.metadata.labels;
  assert.equal(spec.serviceName, named("Service").metadata.name);
  for (const selector of [spec.selector.matchLabels, named("Service").spec.selector]) {
    assert.deepEqual(selector, labels);
  }
  assert.deepEqual(named("PodDisruptionBudget").spec.selector.matchLabels, labels);
  const [container] = spec.template.spec.containers;
  const claims = spec.volumeClaimTemplates.map((claim: Document) => claim.metadata.name);
  assert.deepEqual(
    container.volumeMounts.map((mount: Document) => mount.name),
    claims,
  );
  const state = container.command[container.command.indexOf("--state") + 1];
  assert.equal(container.volumeMounts[0].mountPath, state);
  assert.equal(container.command.at(-1), "$(POD_NAME)");
  assert.deepEqual(
    container.env.map((one: Document) => one.name),
    ["POD_NAME"],
  );
  assert.equal(container.envFrom[0].secretRef.name, named("Secret").metadata.name);
  assert.ok(named("Secret").stringData.DATABASE_URL.startsWith("postgresql://"));
});

test("systemd takes the unit", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "nutshell-unit-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "nutshell.service");
  // The program of the unit is on the machine that it is for.
  writeFileSync(path, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
  const { error, status, stderr } = spawnSync("systemd-analyze", ["verify", path], {
    encoding: "utf8",
  });
  if (error !== undefined) return t.skip("no systemd-analyze: apt-get install systemd");
  assert.deepEqual([status, stderr], [0, ""]);
});

test("both start the command with flags that it has", (t) => {
  const command = join(root, "src/cli/commands/boot.ts");
  const flags = [...`${unit}\n${manifest}`.matchAll(/\s--(\w[\w-]*)/g)].map(([, flag]) => flag);
  assert.deepEqual(new Set(flags), new Set(["state", "name"]));
  if (!existsSync(command)) return t.skip("nutshell boot is not there");
  const text = readFileSync(command, "utf8");
  for (const flag of flags) assert.match(text, new RegExp(`^ +${flag}: `, "m"));
});
