/** What a process gets, from the flags of `run`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBudget } from "../../../src/cli/os/run-options.ts";

test("a budget names its limits", () => {
  assert.deepEqual(parseBudget("tokens=5000, usd=0.5,calls=100,minutes=1.5,bits=16"), {
    ...{ tokens: 5000, microUsd: 500_000, calls: 100, ms: 90_000, influenceBits: 16 },
  });
});

const refused: readonly [text: string, message: RegExp][] = [
  ["token=5", /unknown limit "token"\. Did you mean "tokens"\?/],
  ["tokens", /tokens must be a number, got ""/],
  ["tokens=-1", /tokens must be a number, got "-1"/],
  ["calls=1=2", /calls must be a number/],
  ["__proto__=1", /unknown limit/],
  ["usd=Infinity", /usd must be a number/],
];

for (const [text, message] of refused) {
  test(`--budget ${text} is refused`, () => {
    assert.throws(() => parseBudget(text), { code: "USAGE", message });
  });
}
