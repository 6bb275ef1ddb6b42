/**
 * A vocabulary from elsewhere has no marks of conversations: they are added after its last token,
 * and the tables of the model grow by their rows. A new row is the mean of the old ones plus a
 * little noise, so that at first no new token is likelier than an average one.
 *
 * @see Hewitt 2021, "Initializing new word embeddings for pretrained language models"
 */
import type { Store } from "../../compute/backend.ts";
import { fillNormal } from "../../compute/philox.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { parameterSpecs } from "../model/parameters.ts";
import type { OpenModel } from "../run/open-model.node.ts";
import { specialTokens } from "../tokenizer/special-tokens.ts";
import { fromTokenizerJson } from "../tokenizer/tokenizer-json.ts";

/** A model whose vocabulary has the marks. */
export interface MarkedModel extends Pick<OpenModel, "tokenizer" | "tokenizerJson"> {
  readonly model: ModelConfig;
  /** Marks that were added; empty for a model that had them all. */
  readonly added: readonly string[];
}

interface AddedTokens {
  readonly added_tokens?: readonly object[] | null;
}

/** @throws TOKENIZER for a vocabulary of characters, which cannot be extended */
export function addMarks(
  { tokenizer, tokenizerJson }: Pick<OpenModel, "tokenizer" | "tokenizerJson">,
  model: ModelConfig,
  file: string,
): MarkedModel {
  const added = specialTokens.filter((name) => !tokenizer.specialTokens.has(name));
  if (added.length === 0) return { tokenizer, tokenizerJson, model, added };
  if (tokenizer.kind !== "bpe")
    throw new NutshellError(
      "TOKENIZER",
      `${file}: conversations need a vocabulary that marks can be added to, got one of characters. ` +
        "Choose a model with a byte-level BPE.",
    );
  const json = JSON.parse(tokenizerJson) as AddedTokens;
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const tokens = added.map((content, i) => ({
    ...{ id: tokenizer.vocabSize + i, content, ...flags, special: true },
  }));
  const extended = { ...json, added_tokens: [...(json.added_tokens ?? []), ...tokens] };
  const text = `${JSON.stringify(extended, null, 1)}\n`;
  const grown = fromTokenizerJson(text, file);
  const vocabSize = Math.max(model.vocabSize, grown.vocabSize);
  return { tokenizer: grown, tokenizerJson: text, model: { ...model, vocabSize }, added };
}

/** Noise of a new row, as a share of the spread of the old ones. */
const NOISE = 0.1;
/** Philox streams of new rows, away from those of other initial values. */
const FIRST_STREAM = 0x3000000;

/**
 * Defines and fills the parameters of the grown model.
 * @param from holds the parameters of the model as it was
 * @param tokens of the vocabulary as it was: rows from there on are new
 */
export async function growParameters(
  from: Store,
  to: Store,
  model: ModelConfig,
  tokens: number,
  seed: number,
): Promise<void> {
  for (const [index, { name, shape, role }] of parameterSpecs(model).entries()) {
    const old = (await from.read(name)) as Float32Array;
    to.define(name, { shape, dtype: "f32" });
    const isTable = role === "embedding" || role === "head";
    const grown = isTable ? growTable(old, shape, tokens, seed, FIRST_STREAM + index) : old;
    await to.write(name, grown);
  }
}

function growTable(
  old: Float32Array,
  shape: readonly number[],
  tokens: number,
  seed: number,
  stream: number,
): Float32Array {
  const [rows, width] = shape as [number, number];
  const known = old.subarray(0, tokens * width);
  const mean = new Float64Array(width);
  for (const [at, x] of known.entries())
    mean[at % width] = (mean[at % width] as number) + x / tokens;
  let squares = 0;
  for (const [at, x] of known.entries()) squares += (x - (mean[at % width] as number)) ** 2;
  const noise = new Float32Array((rows - tokens) * width);
  fillNormal(noise, NOISE * Math.sqrt(squares / known.length), seed, stream);
  const grown = new Float32Array(rows * width);
  grown.set(known);
  grown.set(
    noise.map((x, at) => x + (mean[at % width] as number)),
    known.length,
  );
  return grown;
}
