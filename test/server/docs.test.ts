/** The tables of docs/server.md against the server: what they promise, ignore and refuse. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { serveScript } from "./scripted-server.ts";

const page = await readFile(new URL("../../docs/server.md", import.meta.url), "utf8");

interface Row {
  readonly path: string;
  readonly field: string;
  readonly word: string;
}

function readRows(): Row[] {
  const sections = page.split(/^### POST /m).slice(1);
  return sections.flatMap((section) => {
    const path = section.split("\n")[0] as string;
    const rows = section.matchAll(/^\| `(\w+)` \| (\w+) \|/gm);
    return [...rows].map(([, field = "", word = ""]) => ({ path, field, word }));
  });
}

/** Least that each endpoint asks for. */
const least: Readonly<Record<string, object>> = {
  "/v1/chat/completions": { messages: [{ role: "user", content: "hi" }] },
  "/v1/responses": { input: "hi" },
  "/v1/embeddings": { input: "hi" },
  "/tokenize": { prompt: "hi" },
};

test("every field is what docs/server.md says it is", async (t) => {
  const { post } = await serveScript(t, {});
  const rows = readRows();
  assert.ok(rows.length > 90, `${rows.length} rows`);
  for (const { path, field, word } of rows) {
    // No field takes this: what is read complains, what is ignored does not.
    const odd = [{ odd: true }];
    const reply = await post(path, { ...least[path], [field]: odd });
    const { error } = (await reply.json()) as { error?: { param: string; message: string } };
    const where = `${path} ${field} ${word} got ${JSON.stringify(error)}`;
    if (word === "ignored") {
      assert.equal(reply.status, 200, where);
      continue;
    }
    if (error === undefined) assert.fail(where);
    assert.ok(error.param.startsWith(field), where);
    assert.ok(!error.message.includes("unknown field. See") || error.param !== field, where);
    assert.equal(error.message.includes("is not supported"), word === "refused", where);
  }
});
