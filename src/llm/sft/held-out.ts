/** Loss on held-out conversations: mean nats of a learned token, by source and over all. */
import type { Backend, Program, Store } from "../../compute/backend.ts";
import { input } from "../../compute/graph.ts";
import { createBatch, IGNORED } from "../data/sampling/batch.ts";
import type { ModelConfig } from "../model/config.ts";
import { lossSum, modelParameters, type Precision } from "../model/transformer.ts";
import { type Deck, packPool } from "./deck.ts";
import type { GatheredSource } from "./gather.node.ts";
import { writeRow } from "./sampler.ts";

export interface HeldOutLoss {
  /** Mean over the learned tokens of all sources, each weighted by its part in training. */
  readonly loss: number;
  readonly sources: Readonly<Record<string, number>>;
}

export interface HeldOutEvaluator {
  /** @returns undefined when `signal` aborts in between, or nothing is held out */
  run(signal: AbortSignal): Promise<HeldOutLoss | undefined>;
  dispose(): void;
}

export interface HeldOutShape {
  readonly batchSize: number;
  readonly sequenceLen: number;
  readonly precision: Precision;
}

interface HeldSource {
  readonly name: string;
  readonly weight: number;
  readonly deck: Deck;
}

/** @param learned learned tokens of each source in an epoch, its weight */
export async function compileHeldOut(
  backend: Backend,
  store: Store,
  model: ModelConfig,
  { batchSize: B, sequenceLen: T, precision }: HeldOutShape,
  gathered: readonly GatheredSource[],
  learned: readonly number[],
  bos: number,
): Promise<HeldOutEvaluator> {
  const [tokens, targets] = [input("tokens", [B, T], "i32"), input("targets", [B, T], "i32")];
  const { sum, count } = lossSum(model, modelParameters(model), tokens, targets, precision);
  const program = await backend.compile({ outputs: { sum, count } }, store);
  const sources = gathered.flatMap(({ supply: { name }, held }, i): HeldSource[] => {
    if (held.count === 0) return [];
    return [{ name, weight: learned[i] as number, deck: packPool(held, T + 1) }];
  });
  return {
    async run(signal) {
      const found: [HeldSource, number][] = [];
      for (const source of sources) {
        const loss = await meanLoss(program, source.deck, B, bos, signal);
        if (loss === undefined) return undefined;
        found.push([source, loss]);
      }
      return found.length === 0 ? undefined : combine(found);
    },
    dispose: () => program.dispose(),
  };
}

/** @returns undefined when aborted */
async function meanLoss(
  program: Program,
  { packed, coded }: Deck,
  B: number,
  bos: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  let [nats, tokens] = [0, 0];
  for (let first = 0; first < packed.rows; first += B) {
    if (signal.aborted) return undefined;
    const batch = createBatch(B, packed.rowTokens - 1);
    batch.targets.fill(IGNORED);
    for (let b = 0; b < B && first + b < packed.rows; b++)
      writeRow({ packed, coded, bos }, first + b, batch, b);
    const out = await program.run({ tokens: batch.inputs, targets: batch.targets });
    nats += out.sum?.[0] as number;
    tokens += out.count?.[0] as number;
  }
  return nats / Math.max(1, tokens);
}

/** Sources that train on nothing count all alike, when no other is held out. */
function combine(found: readonly (readonly [HeldSource, number])[]): HeldOutLoss {
  const all = found.reduce((sum, [{ weight }]) => sum + weight, 0);
  const share = ({ weight }: HeldSource): number => (all > 0 ? weight / all : 1 / found.length);
  return {
    loss: found.reduce((sum, [source, loss]) => sum + share(source) * loss, 0),
    sources: Object.fromEntries(found.map(([{ name }, loss]) => [name, loss])),
  };
}
