/**
 * Teacher-forced log-probabilities: what a model thought of each token of texts that are already
 * there. Rows of any length are padded into batches of a few fixed lengths, each its own compiled
 * program, made when first needed; shorter batches hold more rows, so that all do the same work.
 *
 * A row's numbers depend on that row alone: its length picks the program, and no row of a batch
 * sees another one.
 */
import type { Backend, Program, Store } from "../../compute/backend.ts";
import { input } from "../../compute/graph.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { modelParameters, type Precision, tokenLosses } from "../model/transformer.ts";

export type TokenRow = readonly number[] | Int32Array;

export interface LogprobScorer {
  /** Tokens that a row may have. */
  readonly longest: number;
  /**
   * @returns in the order of `rows`: [i] = ln p(row[i + 1] | row[..i]), one fewer than tokens
   * @throws CONFIG for a row longer than `longest` or a token outside the model's table
   */
  logprobs(rows: readonly TokenRow[]): Promise<Float32Array[]>;
  dispose(): void;
}

export interface LogprobOptions {
  /** Rows of the longest batch. */
  readonly B: number;
  /** Positions of the longest batch; a row has one token more. At most the model's context. */
  readonly T: number;
  readonly precision: Precision;
}

/** Each batch length is this much shorter than the one before. */
const STEP = 4;
const SHORTEST = 16;
const IGNORED = -1;

/** @throws CONFIG when B or T breaks its rule */
export async function createLogprobScorer(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  options: LogprobOptions,
): Promise<LogprobScorer> {
  const { T, precision } = options;
  checkOptions(options, config);
  const lengths = batchLengths(T);
  const programs = new Map<number, Promise<Program>>();
  const programOf = (length: number): Promise<Program> => {
    const found = programs.get(length) ?? compile(length);
    programs.set(length, found);
    return found;
  };
  const rowsOf = (length: number): number => Math.floor((options.B * T) / length);
  const compile = (length: number): Promise<Program> => {
    const shape = [rowsOf(length), length];
    const [ids, targets] = [input("ids", shape, "i32"), input("targets", shape, "i32")];
    const nll = tokenLosses(config, modelParameters(config), ids, targets, { precision });
    return backend.compile({ outputs: { nll } }, store);
  };
  await programOf(T);
  return {
    longest: T + 1,
    async logprobs(rows) {
      checkRows(rows, T + 1, config.vocabSize);
      const found = rows.map((row) => new Float32Array(Math.max(0, row.length - 1)));
      for (const [length, indices] of byLength(rows, lengths)) {
        const program = await programOf(length);
        const B = rowsOf(length);
        for (let first = 0; first < indices.length; first += B)
          await runBatch(program, B, length, indices.slice(first, first + B), rows, found);
      }
      return found;
    },
    dispose() {
      for (const program of programs.values()) void program.then((ready) => ready.dispose());
      programs.clear();
    },
  };
}

/** Longest first: T, a quarter of it, … */
function batchLengths(T: number): number[] {
  const lengths = [T];
  for (let next = Math.ceil(T / STEP); next >= SHORTEST; next = Math.ceil(next / STEP))
    lengths.push(next);
  return lengths;
}

/** Which rows run at which length; rows without a target run nowhere. */
function byLength(rows: readonly TokenRow[], lengths: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>(lengths.map((length) => [length, []]));
  for (const [index, row] of rows.entries()) {
    if (row.length < 2) continue;
    const length = lengths.findLast((most) => row.length - 1 <= most) as number;
    groups.get(length)?.push(index);
  }
  return groups;
}

async function runBatch(
  program: Program,
  B: number,
  T: number,
  indices: readonly number[],
  rows: readonly TokenRow[],
  found: readonly Float32Array[],
): Promise<void> {
  const ids = new Int32Array(B * T);
  const targets = new Int32Array(B * T).fill(IGNORED);
  for (const [b, index] of indices.entries()) {
    const row = rows[index] as TokenRow;
    for (let t = 0; t + 1 < row.length; t++) {
      ids[b * T + t] = row[t] as number;
      targets[b * T + t] = row[t + 1] as number;
    }
  }
  const nll = (await program.run({ ids, targets })).nll as Float32Array;
  for (const [b, index] of indices.entries()) {
    const out = found[index] as Float32Array;
    for (let t = 0; t < out.length; t++) out[t] = -(nll[b * T + t] as number);
  }
}

function checkOptions({ B, T }: LogprobOptions, { sequenceLen }: ModelConfig): void {
  const whole = (n: number): boolean => Number.isSafeInteger(n) && n >= 1;
  if (!whole(B)) throw configError(`B must be a whole number, 1 or more, got ${B}.`);
  if (!whole(T) || T > sequenceLen)
    throw configError(`T must be a whole number from 1 to ${sequenceLen}, got ${T}.`);
}

function checkRows(rows: readonly TokenRow[], longest: number, vocabSize: number): void {
  for (const row of rows) {
    if (row.length > longest)
      throw configError(
        `a row must have at most ${longest} tokens, got ${row.length}. ` +
          "Cut it or leave it out, and count it.",
      );
    const stranger = row.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
    if (stranger !== undefined)
      throw configError(
        `token ids must lie in [0, ${vocabSize}), got ${stranger}. ` +
          "Use the tokenizer stored beside the model.",
      );
  }
}

function configError(what: string): NutshellError {
  return new NutshellError("CONFIG", `logprobs: ${what}`);
}
