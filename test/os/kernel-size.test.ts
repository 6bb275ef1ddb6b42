/**
 * What must be read to trust the system stays small: code of the kernel and of the label system,
 * comments and blank lines apart.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

const MOST = 5000;
const root = new URL("../../", import.meta.url).pathname;

function codeLines(text: string): number {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
  return code.split("\n").filter((line) => line.trim() !== "").length;
}

test("a line of code is one that is neither blank nor a comment", () => {
  assert.equal(codeLines("/** a\n * b */\n\nconst a = 1; // c\n  // d\n/* e */ const f = 2;\n"), 2);
});

test(`kernel and security have fewer than ${MOST} lines of code`, () => {
  const files = globSync("src/os/{kernel,security}/**/*.ts", { cwd: root });
  assert.ok(files.length > 40, `got ${files.length} files`);
  const lines = files.map((file) => codeLines(readFileSync(root + file, "utf8")));
  const all = lines.reduce((sum, count) => sum + count, 0);
  assert.ok(all < MOST, `got ${all}`);
});
