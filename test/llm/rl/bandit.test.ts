/**
 * A bandit with as many arms as the vocabulary has tokens, of which a tenth are paid: every
 * algorithm has to find them, by the very loop that trains a chat model.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { algorithmNames } from "../../../src/llm/rl/algorithm-names.ts";
import type { RlConfig } from "../../../src/llm/rl/config.ts";
import { reinforce } from "../../../src/llm/rl/rl.node.ts";
import { bandit, saveSmallModel, silent, smallRl } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-bandit-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const model = await saveSmallModel(join(folder, "start"));

/** What an algorithm needs beside the common configuration. */
const own: Readonly<Record<string, Partial<RlConfig>>> = {
  dpo: { beta: 0.1 },
};

for (const algorithm of algorithmNames)
  test(`${algorithm} solves the bandit`, async () => {
    const config = smallRl({ model, out: join(folder, algorithm), algorithm, ...own[algorithm] });
    const { passBefore, passAfter, updates } = await reinforce(
      config,
      silent,
      new AbortController().signal,
      [bandit],
    );
    assert.ok((passBefore?.value ?? 1) < 0.3, `before ${passBefore?.value}`);
    assert.ok((passAfter?.value ?? 0) > 0.9, `after ${passAfter?.value}`);
    assert.ok(updates > 0);
  });
