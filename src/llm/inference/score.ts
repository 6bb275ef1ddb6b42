/**
 * Rewards of whole texts: one number a row, read by the scalar head at the row's last token and
 * put on the model's own scale (reference answers have mean 0 and standard deviation 1).
 *
 * A row's reward depends on that row alone: what pads it stands after its last token, where a
 * causal model cannot look.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import { input } from "../../compute/graph.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { scalarHeadAt, scalarHeadParameters } from "../model/scalar-head.ts";
import { hiddenStates, modelParameters, type Precision } from "../model/transformer.ts";
import { checkRows, createRowBatcher, padRows, type TokenRow } from "./row-batches.ts";

export interface RewardScorer {
  /** Tokens that a row may have. */
  readonly longest: number;
  /**
   * @returns rewards in the order of `rows`
   * @throws CONFIG for an empty row, one longer than `longest`, or a token outside the table;
   *   DIVERGED when the model gives no finite number
   */
  score(rows: readonly TokenRow[]): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** What turns the head's number into a reward: (x - mean) / std. */
export interface RewardScale {
  readonly mean: number;
  readonly std: number;
}

export interface ScorerOptions {
  /** Rows of the longest batch. */
  readonly B: number;
  /** Tokens of the longest row; at most the model's context. */
  readonly T: number;
  readonly precision: Precision;
  /** Absent: the head's own numbers. */
  readonly scale?: RewardScale;
}

/** @param store holds the parameters of `rewardModelSpecs` */
export function createRewardScorer(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  { B, T, precision, scale = { mean: 0, std: 1 } }: ScorerOptions,
): RewardScorer {
  const params = new Map([...modelParameters(config), ...scalarHeadParameters(config)]);
  const batcher = createRowBatcher(B, T, (rows, length) => {
    const ids = input("ids", [rows, length], "i32");
    const { hidden } = hiddenStates(config, params, ids, { precision });
    const rewards = scalarHeadAt(params, hidden, input("last", [rows], "i32"));
    return backend.compile({ outputs: { rewards } }, store);
  });
  return {
    longest: T,
    async score(rows) {
      checkRows(rows, T, config.vocabSize, "reward");
      const found = new Float32Array(rows.length);
      for await (const batch of batcher.batches(rows.map((row) => row.length))) {
        const taken = batch.indices.map((index) => rows[index] as TokenRow);
        const ids = padRows(taken, batch.B, batch.T);
        const last = lastPositions(taken, batch.B, batch.T);
        const { rewards } = await batch.program.run({ ids, last });
        for (const [b, index] of batch.indices.entries())
          found[index] = ((rewards?.[b] as number) - scale.mean) / scale.std;
      }
      if (!found.every(Number.isFinite)) throw notFinite(found);
      return found;
    },
    dispose: () => batcher.dispose(),
  };
}

function notFinite(rewards: Float32Array): NutshellError {
  const got = rewards.find((reward) => !Number.isFinite(reward));
  return new NutshellError(
    "DIVERGED",
    `reward: every reward must be finite, got ${got}. ` +
      "The model's weights are not finite: use an earlier checkpoint.",
  );
}

/** Of each row its last token among the B·T of a batch; 0 where there is no row. */
export function lastPositions(rows: readonly TokenRow[], B: number, T: number): Int32Array {
  const last = new Int32Array(B);
  for (const [b, row] of rows.entries()) last[b] = b * T + row.length - 1;
  return last;
}
