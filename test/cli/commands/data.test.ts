/** `nutshell data` through the command line, on a corpus of built-in stories. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dispatch } from "../../../src/cli/dispatch.ts";
import { createStory } from "../../../src/llm/data/builtin/stories.ts";
import { RecordedStreams } from "../recorded-streams.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-data-command-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const streams = new RecordedStreams();
  const code = await dispatch(["data", ...args], streams);
  return { code, out: streams.out, err: streams.err };
}

const corpus = join(folder, "corpus");
for (const [i, name] of ["big", "small"].entries()) {
  mkdirSync(join(corpus, name), { recursive: true });
  const rows = Array.from({ length: i === 0 ? 120 : 40 }, (_, k) => {
    const signed = k === 7 ? " Write to rosa.meyer@mail-host.org about it." : "";
    return JSON.stringify({ id: `${name}-${k}`, text: createStory(1000 * i + k) + signed });
  });
  if (i === 1) rows.push(rows[3] as string);
  writeFileSync(join(corpus, name, "rows.jsonl"), `${rows.join("\n")}\n`);
}
const out = join(folder, "out");
const prepare = [
  "prepare",
  "--data",
  corpus,
  "--out",
  out,
  "--vocab-size",
  "400",
  "--evals",
  "off",
];

test("prepare says what was asked, what is drawn and what was dropped", async () => {
  const { code, out: text } = await run(...prepare, "--json", "--sequence-len", "64");
  assert.equal(code, 0);
  const found = JSON.parse(text);
  assert.deepEqual(
    found.sources.map(({ name }: { name: string }) => name),
    ["big", "small"],
  );
  assert.ok(found.max_deviation < 0.01, `${found.max_deviation}`);
  assert.equal(found.read.documents, 161);
  assert.equal(found.dropped["exact-duplicate"].documents, 1);
  assert.deepEqual(found.masked.email, { documents: 2, spans: 2 });
  assert.match(readFileSync(join(out, "mixture.svg"), "utf8"), /^<svg.*<\/svg>\s*$/s);
  assert.match(readFileSync(join(out, "mixture.md"), "utf8"), /\| big \|/);
});

test("for people the same is a table and three lines", async () => {
  const { code, out: text } = await run(...prepare);
  assert.equal(code, 0);
  assert.match(text, /source +domain +language +asked +realised/);
  assert.match(text, /kept 160 of 161 documents/);
  assert.match(text, /dropped: exact-duplicate 1/);
});

test("inspect shows what a rule dropped and a mask changed", async () => {
  const dropped = JSON.parse(
    (await run("inspect", "--out", out, "--verdict", "dropped", "--json")).out,
  );
  assert.deepEqual(
    dropped.map(({ id, rule, twin }: { id: string; rule: string; twin: unknown }) => [
      id,
      rule,
      twin,
    ]),
    [["small-3", "exact-duplicate", { source: "small", id: "small-3" }]],
  );
  const { out: text } = await run("inspect", "--out", out, "--rule", "email");
  assert.match(text, /Write to ⟦\[email\]⟧ about it/);
  assert.doesNotMatch(text, /rosa\.meyer/);
});

test("verify finds a changed byte and names the file", async () => {
  assert.match((await run("verify", "--out", out)).out, /4 shards are as they were written/);
  const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
  const file = join(out, manifest.sources[0].shards[0].file);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  writeFileSync(file, bytes);
  const { code, err } = await run("verify", "--out", out);
  assert.equal(code, 1);
  assert.match(err, /^DATA .*\.shard: .*SHA-256.*data prepare.*\n$/);
});

const refused: readonly (readonly [args: string[], says: RegExp, code: number])[] = [
  [["prepair"], /^USAGE data: no action "prepair"\. Did you mean "prepare"\?\n$/, 2],
  [["inspect", "--out", join(folder, "none")], /^DATA .*none.*data prepare/, 1],
  [["verify", "--out", join(folder, "none")], /^DATA .*none.*data prepare/, 1],
  [["prepare", "--data", join(folder, "none")], /^DATA .*none.*got nothing there/, 1],
  [["prepare", "--mixture", "lama"], /^USAGE --mixture must be one of .*llama, got "lama"/, 2],
];

for (const [args, says, code] of refused)
  test(`data ${args.slice(0, 2).join(" ")}: one line, exit ${code}`, async () => {
    const found = await run(...args);
    assert.match(found.err, says);
    assert.equal(found.code, code);
    assert.equal(found.out, "");
  });
