/** Several series in one panel: told apart by colour, named, their labels never on top of another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { namedLines, renderChart } from "../../../src/llm/run/chart.ts";

const flat = (name: string, y: number) => {
  return { name, points: [1, 2, 3].map((x) => ({ x, y })) };
};

test("a legend names every series in its own colour, and equal ends stay readable", () => {
  const lines = namedLines([flat("first", 1), flat("second", 1), flat("a < b", 0.5)]);
  assert.equal(new Set(lines.map(({ color }) => color)).size, 3);
  const svg = renderChart("t", [{ name: "p", lines }]);
  for (const [i, name] of ["first", "second", "a &lt; b"].entries())
    assert.ok(svg.includes(`fill="${lines[i]?.color}">${name}<`), name);
  const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>(1\.000|0\.500)</g)];
  assert.equal(labels.length, 3);
  const heights = labels.map(([, , y]) => Number(y)).sort((a, b) => a - b);
  for (const [i, y] of heights.entries()) if (i > 0) assert.ok(y - (heights[i - 1] ?? 0) >= 13);
});

test("values that are not finite are no part of a line, and few points are marked", () => {
  const points = [1, Number.NaN, 3].map((y, i) => ({ x: i, y }));
  const [line] = namedLines([{ name: "a", points }]);
  assert.deepEqual(line?.points, [
    { x: 0, y: 1 },
    { x: 2, y: 3 },
  ]);
  assert.ok(!renderChart("t", [{ name: "p", lines: [line] }]).includes("NaN"));
  const many = Array.from({ length: 100 }, (_, x) => ({ x, y: x % 2 }));
  assert.equal(namedLines([{ name: "b", points: many }])[0]?.dots, false);
});
