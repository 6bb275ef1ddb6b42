/** `nutshell sft inspect`: conversations as the model sees them, with what is learned coloured. */
import { renderMaskCounts, renderMasked } from "../../llm/chat/render-masked.ts";
import { openModel } from "../../llm/run/open-model.node.ts";
import type { SftConfig } from "../../llm/sft/config.ts";
import { drawConversations, type Inspected } from "../../llm/sft/inspect.node.ts";
import { specialTokens } from "../../llm/tokenizer/special-tokens.ts";
import type { Tokenizer } from "../../llm/tokenizer/tokenizer.ts";
import { trainBpe } from "../../llm/tokenizer/train.ts";
import { inRange, type OptionTableFor } from "../../options.ts";
import type { CommandIo } from "../command.ts";

export interface InspectFlags {
  n: number;
  task: string | undefined;
}

export const inspectFlags: OptionTableFor<InspectFlags> = {
  n: {
    type: "integer",
    value: 5,
    doc: "inspect: conversations to show of each source.",
    check: inRange(1, Number.POSITIVE_INFINITY),
  },
  task: {
    type: "string?",
    value: undefined,
    placeholder: "NAME",
    doc: "inspect: only this task or source.",
  },
};

/** With --model its tokenizer cuts the text, else bytes do. */
export async function inspectConversations(
  config: SftConfig,
  { n, task, model, sequenceLen }: InspectFlags & Pick<SftConfig, "model" | "sequenceLen">,
  io: CommandIo,
): Promise<void> {
  const opened = model === undefined ? undefined : await openModel(model);
  const tokenizer = opened?.tokenizer ?? byteTokenizer();
  const T = sequenceLen ?? opened?.checkpoint.config.sequenceLen;
  const query = { ...config, task, n };
  const found = await drawConversations(query, tokenizer, T, io.signal);
  for (const inspected of found)
    io.stdout(io.json ? `${toJson(inspected)}\n` : show(inspected, tokenizer, io.color));
}

function byteTokenizer(): Tokenizer {
  return trainBpe([], { vocabSize: 256 + specialTokens.length, specialTokens });
}

function show(found: Inspected, tokenizer: Tokenizer, color: boolean): string {
  const { source, index, rendered, verdict } = found;
  const head = `${source} ${index} | ${renderMaskCounts(rendered)} | ${verdict}`;
  return `${head}\n${renderMasked(rendered, tokenizer, color)}\n`;
}

function toJson({ source, index, rendered, verdict, conversation }: Inspected): string {
  const { ids, mask } = rendered;
  return JSON.stringify({
    source,
    index,
    verdict,
    ids: [...ids],
    mask: [...mask],
    ...conversation,
  });
}
