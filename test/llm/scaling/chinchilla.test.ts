/** The loss law against the optima that its papers print, and against a search of the law itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  lossFits,
  optimalSplit,
  optimalTokens,
  predictLoss,
} from "../../../src/llm/scaling/chinchilla.ts";

const GOPHER_FLOPS = 5.76e23;

function close(actual: number, expected: number, relative: number): void {
  const off = Math.abs(actual / expected - 1);
  assert.ok(off <= relative, `got ${actual}, expected ${expected} within ${relative}`);
}

test("each set of coefficients gives its published optimum at Gopher's budget", () => {
  const published = [
    { fit: "hoffmann", params: 32e9, ratio: 93 },
    { fit: "hoffmann-tex", params: 40e9, ratio: 59 },
    { fit: "epoch", params: 72e9, ratio: 18.4 },
  ] as const;
  for (const { fit, params, ratio } of published) {
    const split = optimalSplit(lossFits[fit], GOPHER_FLOPS);
    close(split.params, params, 0.01);
    close(split.tokens / split.params, ratio, 0.005);
    close(6 * split.params * split.tokens, GOPHER_FLOPS, 1e-12);
  }
});

test("small budgets give the optima computed apart from this code", () => {
  const rows = [
    { flops: 1e15, params: 2.3e6, tokens: 71e6, ratio: 30.6 },
    { flops: 1e16, params: 7.6e6, tokens: 219e6, ratio: 28.9 },
    { flops: 1e17, params: 24.7e6, tokens: 674e6, ratio: 27.2 },
    { flops: 1e18, params: 80.5e6, tokens: 2.07e9, ratio: 25.7 },
  ];
  for (const { flops, params, tokens, ratio } of rows) {
    const split = optimalSplit(lossFits.epoch, flops);
    close(split.params, params, 0.02);
    close(split.tokens, tokens, 0.01);
    close(split.tokens / split.params, ratio, 0.002);
  }
  close(predictLoss(lossFits.epoch, optimalSplit(lossFits.epoch, 1e18)), 3.49, 0.001);
});

test("no other split of the same FLOPs has a lower predicted loss", () => {
  for (const fit of Object.values(lossFits)) {
    const best = optimalSplit(fit, 1e20);
    const loss = predictLoss(fit, best);
    for (const factor of [0.5, 0.9, 0.99, 1.01, 1.1, 2]) {
      const other = { params: best.params * factor, tokens: best.tokens / factor };
      assert.ok(predictLoss(fit, other) > loss, `${fit.source}: x${factor} is better`);
    }
  }
});

test("the tokens that are optimal for a size lead back to that size", () => {
  for (const params of [1e6, 124e6, 70e9]) {
    const tokens = optimalTokens(lossFits.epoch, params);
    close(optimalSplit(lossFits.epoch, 6 * params * tokens).params, params, 1e-9);
  }
});
