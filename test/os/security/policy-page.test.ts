/** docs/policy.md shows the very table that decides. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { table } from "../../../src/os/security/policy-table.ts";

const page = readFileSync(new URL("../../../docs/policy.md", import.meta.url), "utf8");

function renderTable(): string {
  const lines = table.flatMap(({ judges, access, rules }) =>
    rules.map(([name, when, verdict, text], i) => {
      const first = i === 0 ? `**${judges}**, ${access.join(" or ")}` : "";
      return `| ${first} | ${when} | ${verdict} | \`${name}\`: ${text} |`;
    }),
  );
  return [
    "| judged | first of these that holds | verdict | rule |",
    "|---|---|---|---|",
    ...lines,
  ].join("\n");
}

test("docs/policy.md has the table as it is", () => {
  const rendered = renderTable();
  assert.ok(page.includes(`\n${rendered}\n`), `the page must hold this table:\n${rendered}`);
});
