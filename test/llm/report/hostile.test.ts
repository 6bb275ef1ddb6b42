/** Whatever a model, a data card or a warning says stays text on every page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EvalReport } from "../../../src/llm/eval/report.ts";
import { escapeHtml, renderReportHtml } from "../../../src/llm/report/html.ts";
import { renderReportMarkdown } from "../../../src/llm/report/markdown.ts";
import type { GrowRecord } from "../../../src/llm/report/record.ts";
import { evaluation, example, grown, row, stage } from "./grown.ts";

const EVIL =
  '</pre></details><script>alert(1)</script><img src=x onerror="a()"> | a | b |\n```\n````text\n' +
  "# heading\n- item\n[link](javascript:alert(1)) ![p](http://x/y.png) `code` **bold** '\"\ud800&lt;";

const said: EvalReport = evaluation(
  [{ ...row(EVIL, EVIL, 1, 2), examples: [{ ...example(EVIL, 0), prompt: EVIL, expected: EVIL }] }],
  {
    replies: [{ suite: EVIL, name: EVIL, prompt: EVIL, reply: EVIL, expected: EVIL }],
    skipped: [{ suite: EVIL, name: EVIL, reason: EVIL }],
  },
);

const hostile: GrowRecord = {
  ...{ ...grown, preset: EVIL, out: EVIL, commit: EVIL },
  machine: { ...grown.machine, cpu: EVIL, backend: EVIL },
  stages: [
    stage("pretrain", {
      ...{ configuration: { [EVIL]: EVIL }, result: { warning: EVIL }, checkpoint: EVIL },
      data: [{ name: EVIL, licence: EVIL, card: EVIL, share: 0.5 }],
      metrics: [{ step: 1, loss: 2, sample: EVIL, warnings: [EVIL] }],
    }),
  ],
  evals: { base: said, sft: said },
};

/** Every tag that the page may be made of, with the attributes it may have. */
const OWN: Readonly<Record<string, RegExp>> = {
  html: /^lang$/,
  meta: /^(charset|http-equiv|content|name)$/,
  section: /^class$/,
  a: /^href$/,
  nav: /^aria-label$/,
  figure: /^(role|aria-label)$/,
  h2: /^id$/,
  ...Object.fromEntries(["div", "span", "td", "th", "pre"].map((name) => [name, /^class$/])),
  ...Object.fromEntries(
    "head body title style h1 h3 p ul li table thead tbody tr strong small details summary"
      .split(" ")
      .map((name) => [name, /^$/]),
  ),
  ...Object.fromEntries(
    "svg rect text line polyline circle".split(" ").map((name) => [name, /^[a-zA-Z0-9-]+$/]),
  ),
};

test("a page has no tag and no attribute but its own, and nothing to load", () => {
  const html = renderReportHtml(hostile);
  const style = /<style>[\s\S]*?<\/style>/;
  const tags = [...html.replace(style, "").matchAll(/<([a-z0-9!/]+)([^>]*)>/gi)];
  assert.ok(tags.length > 100);
  for (const [tag, name = "", attributes = ""] of tags) {
    if (tag === "<!doctype html>") continue;
    const allowed = OWN[name.replace(/^\//, "")];
    assert.ok(allowed, `${tag} is not the page's own`);
    for (const [, attribute = ""] of attributes.matchAll(/([^\s=]+)="[^"]*"/g))
      assert.match(attribute, allowed, tag);
    assert.ok(!/ (on\w+|src)=/.test(attributes), tag);
  }
  assert.deepEqual([...html.matchAll(/href="(?!#)/g)], []);
  assert.ok(!/url\(|@import/.test(html));
  assert.ok(html.includes("&lt;script&gt;alert(1)&lt;/script&gt;"), "the text itself is shown");
  assert.ok(html.isWellFormed());
});

test("escaped text may stand in a quoted attribute", () => {
  assert.equal(escapeHtml(`"><b a='&amp;'`), "&quot;&gt;&lt;b a=&#39;&amp;amp;&#39;");
});

/** Lines outside fences, by CommonMark's rule: a fence ends at one that is at least as long. */
function proseOf(markdown: string): string[] {
  const prose: string[] = [];
  let open: string | undefined;
  for (const line of markdown.split("\n")) {
    const [, fence, info] = /^(`{3,})([^`]*)$/.exec(line) ?? [];
    if (open === undefined && fence !== undefined) open = fence;
    else if (open === undefined) prose.push(line);
    else if (fence !== undefined && info?.trim() === "" && fence.length >= open.length)
      open = undefined;
  }
  assert.equal(open, undefined, "every fence is closed");
  return prose;
}

test("in Markdown hostile text stays in its fence or its cell", () => {
  const markdown = renderReportMarkdown(hostile);
  const prose = proseOf(markdown);
  const markup = /^(<details><summary>|<\/details>$)|<\/summary>$/g;
  for (const line of prose) {
    assert.ok(!line.replace(markup, "").includes("<"), line);
    const plain = line.replace(/\\[\\`*[\]|~#_]/g, "");
    assert.ok(!/`|\]\(javascript|\]\(http/.test(plain), line);
  }
  const perTable = prose
    .join("\n")
    .split(/\n\n+/)
    .filter((part) => part.startsWith("|"));
  assert.ok(perTable.length > 2);
  for (const part of perTable) {
    const counts = part
      .trim()
      .split("\n")
      .map((line) => line.replace(/\\./g, "").split("|").length);
    assert.equal(new Set(counts).size, 1, part);
  }
  assert.ok(markdown.includes("<script>alert(1)</script>"), "shown exactly inside fences");
});
