import assert from "node:assert/strict";
import { test } from "node:test";
import type { MixtureRow } from "../../../../src/llm/data/mixture/mixture-row.ts";
import { renderMixtureSvg } from "../../../../src/llm/data/mixture/picture.ts";
import {
  renderMixtureMarkdown,
  renderMixtureTable,
} from "../../../../src/llm/data/mixture/table.ts";

const row = (name: string, requested: number, realised: number | undefined): MixtureRow => ({
  name,
  domain: "web",
  licence: "CC BY | 4.0",
  language: realised === undefined ? undefined : "en",
  requested,
  realised,
  bytes: 12_345_678,
  tokens: realised === undefined ? undefined : 3_000_000,
  epochs: realised === undefined ? undefined : 1.5,
});
const rows = [row("pages", 0.996, 0.994), row("few\nlines", 0.004, undefined)];
const slots = [{ name: "arXiv", share: 2.5 }];

test("the table sets what was drawn beside what was asked", () => {
  assert.deepEqual(renderMixtureTable(rows, slots).split("\n"), [
    "  source     domain      language    asked  realised    MB     tokens  epochs  licence",
    "  pages      web         en         99.6 %    99.4 %  12.3  3,000,000    1.50  CC BY | 4.0",
    "  few lines  web         -          0.40 %         -  12.3          -       -  CC BY | 4.0",
    "  (arXiv)    empty slot            (2.5 %)     0.0 %",
  ]);
});

test("in Markdown every cell stays one", () => {
  const lines = renderMixtureMarkdown(rows, slots).split("\n");
  assert.equal(lines.length, 5);
  for (const line of lines) assert.equal(line.replaceAll("\\|", "").split("|").length, 11);
  assert.match(lines[2] ?? "", /CC BY \\\| 4\.0/);
});

/** Checks nesting and escaping without a parser: every tag that opens closes, in order. */
function requireWellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>/g,
    (...match) => {
      const [, isEnd, tag, , isAlone] = match as string[];
      if (isEnd) assert.equal(open.pop(), tag);
      else if (!isAlone) open.push(tag as string);
      return "";
    },
  );
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest, /[<>]|&(?!amp;|lt;|gt;|quot;)/);
}

test("the picture draws every share to scale, in both schemes", () => {
  const svg = renderMixtureSvg([row("a", 0.4, 0.2), row("b", 0.1, undefined)], slots);
  requireWellFormed(svg);
  // The legend stands above the first bar.
  const widths = (kind: string) =>
    [...svg.matchAll(new RegExp(`class="${kind}" x="210" y="(\\d+)" width="([\\d.]+)"`, "g"))]
      .filter(([, y]) => Number(y) > 60)
      .map(([, , width]) => Number(width));
  const [asked = 0, other = 0] = widths("asked");
  assert.ok(Math.abs(asked / other - 4) < 0.02, `${asked} and ${other}`);
  assert.ok(Math.abs((widths("drawn")[0] ?? 0) / asked - 0.5) < 0.01);
  assert.equal(widths("drawn")[1], 0);
  assert.match(svg, /prefers-color-scheme: dark/);
  assert.match(svg, /arXiv[\s\S]*empty slot[\s\S]*2\.5 % → others/);
});

test("names from files cannot break the picture", () => {
  const svg = renderMixtureSvg([row('<script x="1">&\u0000 \ud800 a very long name indeed', 1, 1)]);
  requireWellFormed(svg);
  assert.ok(!svg.includes("<script") && !svg.includes("\u0000"));
  requireWellFormed(renderMixtureSvg([]));
});
