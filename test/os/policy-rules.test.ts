/** An owner's own rules: read whole or not at all, and only ever stricter. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readPolicy } from "../../src/os/policy-rules.ts";
import { bottom, fromUser } from "../../src/os/security/label.ts";
import { labelled } from "../../src/os/security/labelled.ts";
import { decide, type PolicyRequest } from "../../src/os/security/policy.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-policy-"));
after(() => rmSync(folder, { recursive: true }));

function rulesFile(rules: unknown): string {
  const path = join(folder, `${Math.random()}.json`);
  writeFileSync(path, typeof rules === "string" ? rules : JSON.stringify(rules));
  return path;
}

function write(call: string, path: string): PolicyRequest {
  return {
    ...{ call, access: "write", irreversible: false, sinks: { path: "path" }, pc: bottom },
    ...{ owner: "me", capabilities: [{ call: "*" }], influenceBits: 16, endorsed: [] },
    args: labelled({ path }, fromUser),
  };
}

test("without a file the table holds, with one it is narrowed", async () => {
  assert.equal(await readPolicy(join(folder, "none.json")), decide);
  const policy = await readPolicy(
    rulesFile([
      { rule: "no-deletions", call: "files.remove", verdict: "deny" },
      { rule: "drafts", call: "files.write", verdict: "ask", except: { path: { under: "/d" } } },
    ]),
  );
  assert.equal(decide(write("files.remove", "a.txt")).kind, "allow");
  assert.equal(policy(write("files.remove", "a.txt")).kind, "deny");
  assert.equal(policy(write("files.write", "a.txt")).kind, "ask");
  assert.equal(policy(write("files.write", "/d/a.txt")).kind, decide(write("x", "/d/a.txt")).kind);
  assert.equal(policy(write("files.move", "a.txt")).kind, "allow");
});

const refused: readonly unknown[] = [
  "{",
  {},
  [{ rule: "a", call: "b", verdict: "allow" }],
  [{ rule: "a", call: "b", verdict: "deny", more: 1 }],
  [{ rule: "a", call: "b*c", verdict: "deny" }],
  [{ rule: "a", call: "b", verdict: "deny", except: { path: { below: "/" } } }],
];

for (const rules of refused) {
  test(`a file is refused: ${JSON.stringify(rules)}`, async () => {
    await assert.rejects(readPolicy(rulesFile(rules)), { code: "CONFIG" });
  });
}
