/** However bytes are cut into tokens and text into pieces, the same is shown and taken back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createShownText, type MadeToken } from "../../../src/llm/engines/shown-text.ts";
import { createStopScanner } from "../../../src/llm/engines/stop-texts.ts";

// Few letters, so that stop texts are often there, or almost.
const letters = fc.constantFrom("a", "b", "é", "€", "🦜", "\n");
const texts = fc.array(letters, { maxLength: 30 }).map((all) => all.join(""));
const stops = fc.array(
  fc.array(letters, { minLength: 1, maxLength: 4 }).map((all) => all.join("")),
  { maxLength: 3 },
);
const options = { seed: 9, numRuns: 400 };

/** Up to the stop text that is complete first, by trying every end. */
function untilStop(text: string, stops: readonly string[]): string | undefined {
  for (let end = 1; end <= text.length; end++) {
    const found = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    const longest = Math.max(...found.map((stop) => stop.length));
    if (found.length > 0) return text.slice(0, end - longest);
  }
  return undefined;
}

function cutAt<T>(all: readonly T[], sizes: readonly number[]): T[][] {
  const pieces: T[][] = [];
  for (let i = 0, at = 0; at < all.length; i++) {
    const size = sizes[i % sizes.length] as number;
    pieces.push(all.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });

test("any pieces: text up to the first stop text, and nothing of it", () => {
  fc.assert(
    fc.property(texts, stops, sizes, (text, stops, sizes) => {
      const scanner = createStopScanner(stops);
      let shown = "";
      let stopped = false;
      for (const piece of cutAt(text.split(""), sizes)) {
        const safe = scanner.push(piece.join(""));
        shown += safe.text;
        stopped = safe.stopped;
        if (stopped) break;
      }
      const expected = untilStop(text, stops);
      assert.equal(stopped, expected !== undefined);
      assert.equal(stopped ? shown : shown + scanner.end(), expected ?? text);
    }),
    options,
  );
});

test("any tokens: what stays of the timeline is what was shown", () => {
  const passed = fc.integer({ min: 0, max: 3 });
  fc.assert(
    fc.property(texts, stops, sizes, passed, (text, stops, sizes, passed) => {
      const tokens = cutAt([...new TextEncoder().encode(text)], sizes);
      const utf8 = new TextDecoder("utf-8");
      const shownText = createShownText(stops);
      const bytesUntil = (at: number) => Uint8Array.from(tokens.slice(0, at).flat());
      let before = "";
      let shown = "";
      const reported: number[] = [];
      for (const [at, bytes] of tokens.entries()) {
        const piece = utf8.decode(Uint8Array.from(bytes), { stream: true });
        const token = made(at, bytes);
        if (at < passed) {
          shownText.pass(piece, { at, bytes: token.bytes });
          before += piece;
          continue;
        }
        const visible = shownText.push(piece, token);
        shown += visible.text;
        reported.push(...visible.tokens.map(({ id }) => id));
        if (shownText.cut !== undefined) break;
      }
      const rest = shownText.end();
      shown += rest.text;
      reported.push(...rest.tokens.map(({ id }) => id));
      const { cut } = shownText;
      const expected = untilStop(text.slice(before.length), stops);
      assert.equal(shown, expected ?? text.slice(before.length));
      assert.deepEqual(
        reported,
        [...reported].sort((a, b) => a - b),
      );
      if (cut === undefined) assert.equal(reported.length, Math.max(0, tokens.length - passed));
      else assert.equal(new TextDecoder().decode(bytesUntil(cut.at)) + cut.text, before + shown);
    }),
    options,
  );
});

function made(at: number, bytes: readonly number[]): MadeToken {
  const logprob = { id: at, bytes: Uint8Array.from(bytes), logprob: -1, top: [] };
  return { at, bytes: Uint8Array.from(bytes), logprob };
}

test("an empty stop text is refused", () => {
  assert.throws(() => createStopScanner(["a", ""]), { code: "CONFIG" });
});
