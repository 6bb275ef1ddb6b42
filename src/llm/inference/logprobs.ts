/**
 * Teacher-forced log-probabilities: what a model thought of each token of texts that are already
 * there. A row's numbers depend on that row alone, whatever it is batched with.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import { input } from "../../compute/graph.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { modelParameters, type Precision, tokenLosses } from "../model/transformer.ts";
import { checkRows, createRowBatcher, padRows, type TokenRow } from "./row-batches.ts";

export interface LogprobScorer {
  /** Tokens that a row may have. */
  readonly longest: number;
  /**
   * @returns in the order of `rows`: [i] = ln p(row[i + 1] | row[..i]), one fewer than tokens
   * @throws CONFIG for an empty row, one longer than `longest`, or a token outside the table;
   *   DIVERGED when the model gives no finite number
   */
  logprobs(rows: readonly TokenRow[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

export interface LogprobOptions {
  /** Rows of the longest batch. */
  readonly B: number;
  /** Positions of the longest batch; a row has one token more. At most the model's context. */
  readonly T: number;
  readonly precision: Precision;
}

const IGNORED = -1;

/** @throws CONFIG when B or T breaks its rule */
export function createLogprobScorer(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  options: LogprobOptions,
): LogprobScorer {
  checkOptions(options, config);
  const { B, T, precision } = options;
  const batcher = createRowBatcher(B, T, (rows, length) => {
    const shape = [rows, length];
    const [ids, targets] = [input("ids", shape, "i32"), input("targets", shape, "i32")];
    const nll = tokenLosses(config, modelParameters(config), ids, targets, { precision });
    return backend.compile({ outputs: { nll } }, store);
  });
  return {
    longest: T + 1,
    async logprobs(rows) {
      checkRows(rows, T + 1, config.vocabSize, "logprobs");
      const found = rows.map((row) => new Float32Array(row.length - 1));
      // A row of one token has nothing to foretell and comes back empty.
      const open = [...rows.keys()].filter((index) => (rows[index]?.length ?? 0) > 1);
      const lengths = open.map((index) => (found[index] as Float32Array).length);
      for await (const { indices, program, ...shape } of batcher.batches(lengths)) {
        const taken = indices.map((at) => rows[open[at] as number] as TokenRow);
        const { nll } = await program.run(toInputs(taken, shape.B, shape.T));
        for (const [b, at] of indices.entries()) {
          const out = found[open[at] as number] as Float32Array;
          for (let t = 0; t < out.length; t++) out[t] = -(nll?.[b * shape.T + t] as number);
          if (!out.every(Number.isFinite)) throw notFinite(out);
        }
      }
      return found;
    },
    dispose: () => batcher.dispose(),
  };
}

/** Each row without its last token, and without its first. */
function toInputs(
  rows: readonly TokenRow[],
  B: number,
  T: number,
): { ids: Int32Array; targets: Int32Array } {
  const inputs = rows.map((row) => row.slice(0, -1));
  const targets = new Int32Array(B * T).fill(IGNORED);
  for (const [b, row] of rows.entries()) targets.set(row.slice(1), b * T);
  return { ids: padRows(inputs, B, T), targets };
}

function checkOptions({ B, T }: LogprobOptions, { sequenceLen }: ModelConfig): void {
  const whole = (n: number): boolean => Number.isSafeInteger(n) && n >= 1;
  if (!whole(B)) throw configError(`B must be a whole number, 1 or more, got ${B}.`);
  if (!whole(T) || T > sequenceLen)
    throw configError(`T must be a whole number from 1 to ${sequenceLen}, got ${T}.`);
}

function notFinite(logprobs: Float32Array): NutshellError {
  const got = logprobs.find((logprob) => !Number.isFinite(logprob));
  return new NutshellError(
    "DIVERGED",
    `logprobs: every log-probability must be finite, got ${got}. ` +
      "The model's weights are not finite: use an earlier checkpoint.",
  );
}

function configError(what: string): NutshellError {
  return new NutshellError("CONFIG", `logprobs: ${what}`);
}
