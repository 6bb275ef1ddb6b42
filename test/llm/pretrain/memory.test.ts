/** Memory over many steps: what a step needs is allocated once. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { pretrainOptions } from "../../../src/llm/pretrain/config.ts";
import { pretrain } from "../../../src/llm/pretrain/pretrain.node.ts";
import type { Talk } from "../../../src/llm/run/talk.ts";
import { resolveOptions } from "../../../src/options.ts";
import { writeCorpus } from "./child-run.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-memory-"));
after(() => rmSync(folder, { recursive: true, force: true }));
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("memory does not grow over steps, measurements, samples and saves", async () => {
  const values = {
    ...{ data: writeCorpus(join(folder, "corpus"), 60), out: join(folder, "out") },
    ...{
      vocabSize: 300,
      clean: "off",
      depth: 1,
      sequenceLen: 32,
      batchSize: 8,
      gradAccumSteps: 1,
      steps: 600,
    },
    ...{
      logEvery: 100,
      evalEvery: 100,
      evalBatches: 1,
      sampleEvery: 100,
      saveEvery: 100,
      threads: 1,
    },
  };
  const bytesAt: number[] = [];
  const talk: Talk = {
    status: () => {},
    say(line) {
      if (!line.startsWith("step ")) return;
      collectGarbage();
      bytesAt.push(process.memoryUsage().rss);
    },
  };
  const asked = resolveOptions(pretrainOptions, { from: "test", values });
  await pretrain(asked, talk, new AbortController().signal);
  const [, early = 0, , , , late = 0] = bytesAt;
  // A leaked arena a step would be hundreds of MB over these 400 steps; the heap wobbles by a few.
  const grown = (late - early) / 1e6;
  assert.ok(grown < 12, `grew by ${grown.toFixed(1)} MB from step 200 to 600`);
});
