/**
 * What a Hugging Face folder of other people's says about text: the token that texts begin with,
 * those that end them, and the chat template. Tokens that were added as ordinary ones (Qwen's
 * `<think>`) are text here, as they are to its authors; those around calls stay marks.
 */
import { join } from "node:path";
import { parseJson } from "../model/manifest.node.ts";
import type { OpenModel } from "../run/open-model.node.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import type { TokenizerJson } from "../tokenizer/tokenizer-json-file.ts";
import type { ChatFormat } from "./chat-format.ts";
import { jinjaFormat } from "./jinja-format.ts";
import { CALL_TAGS } from "./json-calls.ts";

export interface ForeignText {
  readonly tokenizer: Tokenizer;
  /** Ids that end a text. */
  readonly ends: ReadonlySet<number>;
  /** Absent: the model has no conversations. */
  readonly format: ChatFormat | undefined;
}

type Name = string | { readonly content?: string } | null;

interface TokenizerConfig {
  readonly bos_token?: Name;
  readonly eos_token?: Name;
  readonly add_bos_token?: boolean;
  readonly chat_template?: string | readonly { readonly name: string; readonly template: string }[];
}

interface GenerationConfig {
  readonly bos_token_id?: number | null;
  readonly eos_token_id?: number | readonly number[] | null;
}

/** @throws CHECKPOINT for a file that is not JSON; CONFIG for a template that is not Jinja */
export async function readForeignText({
  checkpoint,
  tokenizer: whole,
  tokenizerJson,
}: OpenModel): Promise<ForeignText> {
  const { folder, readText } = checkpoint;
  const json = JSON.parse(tokenizerJson) as TokenizerJson;
  const readObject = async <T>(name: string): Promise<T | undefined> => {
    const text = await readText(name);
    return text === undefined ? undefined : (parseJson(join(folder, name), text) as T);
  };
  const config = await readObject<TokenizerConfig>("tokenizer_config.json");
  const generation = (await readObject<GenerationConfig>("generation_config.json")) ?? {};
  const bos = findBos(json, whole, config, generation);
  const tokenizer: Tokenizer = { ...withPlainTokens(whole, json), bos };
  const ends = findEnds(whole, config, generation);
  const template = (await readText("chat_template.jinja")) ?? templateOf(config);
  if (template === undefined) return { tokenizer, ends, format: undefined };
  const encode = (text: string, named: boolean): number[] =>
    whole.encode(text, { specials: named });
  const bosToken = nameOf(config?.bos_token);
  const setting = { name: folder, template, tokenizer, ends, encode };
  return { tokenizer, ends, format: jinjaFormat({ ...setting, bosToken }) };
}

/**
 * Whether its authors' programs put a token before a text: as they say outright, as the
 * tokenizer's own post-processor does, or, where no file has one, the token that is named.
 */
function findBos(
  { post_processor: steps }: TokenizerJson,
  { bos, specialTokens }: Tokenizer,
  config: TokenizerConfig | undefined,
  { bos_token_id: id }: GenerationConfig,
): number | undefined {
  if (bos !== undefined) return bos;
  const named = specialTokens.get(nameOf(config?.bos_token) ?? "");
  if (config?.add_bos_token !== undefined) return config.add_bos_token ? named : undefined;
  const all = steps?.type === "Sequence" ? (steps.processors ?? []) : steps ? [steps] : [];
  const first = all.find(({ type }) => type === "TemplateProcessing")?.single?.[0];
  if (all.length > 0) return specialTokens.get(first?.SpecialToken?.id ?? "");
  return config === undefined ? (id ?? undefined) : named;
}

/** The template's own end first. */
function findEnds(
  { specialTokens, vocabSize }: Tokenizer,
  config: TokenizerConfig | undefined,
  { eos_token_id: eos }: GenerationConfig,
): ReadonlySet<number> {
  const named = specialTokens.get(nameOf(config?.eos_token) ?? "");
  const ids = [named, eos ?? undefined].flat().filter((id) => id !== undefined);
  return new Set(ids.filter((id) => id < vocabSize));
}

function templateOf(config: TokenizerConfig | undefined): string | undefined {
  const template = config?.chat_template;
  if (template === undefined || typeof template === "string") return template;
  return template.find(({ name }) => name === "default")?.template;
}

const nameOf = (name: Name | undefined): string | undefined =>
  typeof name === "string" ? name : name?.content;

const utf8 = new TextEncoder();

/** Added tokens that are no special ones have bytes; text is cut as before. */
function withPlainTokens(whole: Tokenizer, { added_tokens }: TokenizerJson): Tokenizer {
  const isCall = (name: string): boolean => CALL_TAGS.some((tag) => tag === name);
  const added = (added_tokens ?? []).filter(
    ({ content, special }) => special === false && !isCall(content),
  );
  if (added.length === 0) return whole;
  const plain = new Map(added.map(({ id, content }) => [id, utf8.encode(content)]));
  const { vocabSize } = whole;
  const tokens = Array.from(
    { length: vocabSize },
    (_, id) => plain.get(id) ?? whole.tokenBytes(id),
  );
  const marks = [...whole.specialTokens].filter(([, id]) => !plain.has(id));
  return createTokenizer(
    { tokens, specialTokens: new Map(marks) },
    {
      encodeText: (text, ids) => {
        for (const id of whole.encode(text)) ids.push(id);
      },
      encodeUtf8: (bytes, ids) => {
        for (const id of whole.encodeUtf8(bytes)) ids.push(id);
      },
    },
  );
}
