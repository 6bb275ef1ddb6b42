/**
 * What other programs need beside `tokenizer.json` to chat with a checkpoint: the template, the
 * names of the tokens that begin and end, and the ids at which to stop.
 */
import { ASSISTANT_END } from "../tokenizer/special-tokens.ts";
import { BOS, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { findMarks } from "./marks.ts";
import { chatTemplateJinja } from "./template.ts";

/**
 * @param sequenceLen the model's context, in tokens
 * @returns texts of a checkpoint folder by file name
 * @throws TOKENIZER when the vocabulary lacks a mark
 */
export function renderChatFiles(tokenizer: Tokenizer, sequenceLen: number): Record<string, string> {
  const { bos, assistantEnd } = findMarks(tokenizer);
  const generation = { bos_token_id: bos, eos_token_id: assistantEnd, pad_token_id: assistantEnd };
  return {
    "tokenizer_config.json": json({
      tokenizer_class: "PreTrainedTokenizerFast",
      bos_token: BOS,
      eos_token: ASSISTANT_END,
      pad_token: ASSISTANT_END,
      model_max_length: sequenceLen,
      clean_up_tokenization_spaces: false,
      chat_template: chatTemplateJinja,
    }),
    "generation_config.json": json(generation),
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
