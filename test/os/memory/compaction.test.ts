/** Making room: what is touched, in which order, and what may never be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compact, type Means, type Room } from "../../../src/os/memory/compaction.ts";
import { distil } from "../../../src/os/memory/distil.ts";
import { lru2 } from "../../../src/os/memory/lru-k.ts";
import { isPrefix, type Page, type Window } from "../../../src/os/memory/page.ts";
import { render } from "../../../src/os/memory/render.ts";
import { addPage, tokensShown, visiblePages } from "../../../src/os/memory/window.ts";
import { anyWindow, countWords } from "./any-window.ts";

const order = ["duplicate", "spill", "distil", "summarise", "evict", "spill"];

function meansOf(texts: ReadonlyMap<string, string>, summarised: Page[][]): Means {
  return {
    tokensOf: countWords,
    textOf: async ({ hash }) => texts.get(hash) as string,
    summarise: async (window, pages, maxTokens) => {
      summarised.push([...pages]);
      const first = pages[0] as Page;
      const added = addPage(
        window,
        {
          ...{ ref: `mem:1/${900 + summarised.length}`, kind: "note", role: "user" },
          ...{ title: "summary", hash: "summary", tokens: maxTokens, labels: first.labels },
          ...{ pinned: false, dirty: true },
        },
        lru2,
      );
      return { window: added.window, made: added.page };
    },
  };
}

const anyRoom = fc.record({
  capacity: fc.integer({ min: 40, max: 1500 }),
  fresh: fc.nat({ max: 3 }),
});

function roomOf(window: Window, { capacity, fresh }: { capacity: number; fresh: number }): Room {
  const newest = [...window.pages.keys()].slice(window.pages.size - fresh);
  const low = Math.floor(capacity * 0.8);
  return { capacity, low, replacement: lru2, focus: "w3", fresh: new Set(newest) };
}

test("what is pinned stays as it is, order stays, steps come in their order and tell the truth", () =>
  fc.assert(
    fc.asyncProperty(anyWindow, anyRoom, async ({ window, texts }, asked) => {
      const room = roomOf(window, asked);
      const summarised: Page[][] = [];
      const { window: after, steps } = await compact(window, room, meansOf(texts, summarised));
      for (const page of window.pages.values()) {
        if (page.pinned || isPrefix(page)) assert.equal(after.pages.get(page.page), page);
      }
      assert.ok(summarised.flat().every((page) => !page.pinned && !isPrefix(page)));
      let stage = 0;
      for (const { step } of steps) {
        stage = order.indexOf(step, stage);
        assert.ok(stage >= 0, `${step} out of order`);
      }
      const kept = visiblePages(after).filter(({ ref }) => !ref.startsWith("mem:1/9"));
      const places = kept.map(({ page }) => page);
      assert.deepEqual(
        places,
        visiblePages(window)
          .map(({ page }) => page)
          .filter((page) => places.includes(page)),
      );
      const freed = steps.reduce((sum, one) => sum + one.freed, 0);
      // A pointer to a place that went becomes a handle, which may be a little longer.
      assert.ok(
        Math.abs(tokensShown(window) - freed - tokensShown(after)) <= 8 * window.pages.size,
      );
      if (tokensShown(window) <= room.capacity)
        assert.ok(steps.every(({ step }) => step === "duplicate"));
    }),
    { numRuns: 300 },
  ));

test("it fits afterwards, or nothing is left but pins and short handles of what is new", () =>
  fc.assert(
    fc.asyncProperty(anyWindow, anyRoom, async ({ window, texts }, asked) => {
      const room = roomOf(window, asked);
      const { window: after } = await compact(window, room, meansOf(texts, []));
      if (tokensShown(after) <= room.capacity) return;
      for (const page of visiblePages(after)) {
        const unit = visiblePages(after).filter((one) => one.unit === page.unit);
        const held = unit.some((one) => one.pinned || room.fresh.has(one.page));
        assert.ok(held, `${page.kind} ${page.form} ${page.ref}`);
      }
    }),
    { numRuns: 300 },
  ));

test("a call and its results come and go together", () =>
  fc.assert(
    fc.asyncProperty(anyWindow, anyRoom, async ({ window, texts }, asked) => {
      const { window: after } = await compact(window, roomOf(window, asked), meansOf(texts, []));
      const { messages } = render(after, new Map([...texts, ["summary", "short"]]));
      for (const [i, message] of messages.entries()) {
        if (message.role === "tool") assert.equal(messages[i - 1]?.role, "assistant");
        if (message.role === "assistant") assert.equal(messages[i + 1]?.role, "tool");
      }
    }),
    { numRuns: 300 },
  ));

test("distilling keeps lines as they are, in order, and its gaps add up", () =>
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 400 }), { maxLength: 60 }),
      fc.integer({ min: 30, max: 200 }),
      (lines, most) => {
        const text = lines.join("\n");
        const { text: short, kept } = distil(text, "mem:1/1", lines[20] ?? "", most, countWords);
        const gaps = [...short.matchAll(/\[(\d+) characters from (\d+) left out: mem:1\/1\]/g)];
        const missing = gaps.reduce((sum, [, characters]) => sum + Number(characters), 0);
        assert.equal(kept + missing, text.length);
        assert.equal(short.isWellFormed(), true);
        let at = 0;
        for (const [, characters, from] of gaps) {
          assert.ok(Number(from) >= at);
          at = Number(from) + Number(characters);
        }
      },
    ),
  ));

test("head, tail and the lines that the question is about", () => {
  const lines = Array.from({ length: 200 }, (_, i) => `row ${i} ${i === 120 ? "swordfish" : "x"}`);
  const { text } = distil(lines.join("\n"), "mem:1/1", "Where is Swordfish?", 120, countWords);
  for (const one of ["row 0 x", "row 199 x", "row 120 swordfish"])
    assert.ok(text.includes(one), one);
  const faces = distil(`x${"😀".repeat(600)}`, "mem:1/1", "", 128, (one) => one.length / 10).text;
  assert.ok(faces.includes("left out") && faces.isWellFormed());
  assert.ok(countWords(text) <= 160 && !text.includes("row 60 "));
});
