/**
 * The state machine that runs tools while tokens are sampled. It sees each sampled id and says
 * what follows: sample on, end here, or these ids next. A turn ends with <|assistant_end|>; when
 * it made calls, their results and the next <|assistant_start|> are forced.
 *
 * A call that cannot be run has a result too, "error: …", so that the model may try again. A
 * model that writes a mark which is not its to write (a user's turn, a tool's result) is stopped.
 */
import type { Follow } from "../inference/batch-generator.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { findMarks, type Marks } from "./marks.ts";
import type { ToolContext } from "./tool.ts";
import { runCall } from "./tools/run-call.ts";

export interface ToolLoopOptions {
  /** Calls in one reply; the turn that asks for more ends it. Default 8. */
  readonly maxCalls?: number;
}

const MAX_CALLS = 8;
const UNCLOSED = "error: a call must end with its mark before the turn ends";

/** @returns the machine for one reply, which begins after <|assistant_start|> */
export function createToolLoop(
  tokenizer: Tokenizer,
  context: ToolContext,
  { maxCalls = MAX_CALLS }: ToolLoopOptions = {},
): (sampledId: number) => Follow {
  const marks = findMarks(tokenizer);
  const special = new Set(tokenizer.specialTokens.values());
  let results: string[] = [];
  let call: number[] | undefined;
  let left = maxCalls;

  function endTurn(): Follow {
    closeCall(() => UNCLOSED);
    const turn = results;
    results = [];
    left -= turn.length;
    return turn.length === 0 || left < 0 ? "stop" : forcedResults(turn, tokenizer, marks);
  }

  function closeCall(answer: (text: string) => string): Follow {
    if (call !== undefined) results.push(answer(tokenizer.decode(call)));
    call = undefined;
    return "go";
  }

  return (id) => {
    if (id === marks.assistantEnd) return endTurn();
    if (id === marks.callEnd) return closeCall((text) => runCall(text, context));
    if (id === marks.callStart) {
      closeCall(() => UNCLOSED);
      call = [];
      return "go";
    }
    if (special.has(id) || id >= tokenizer.vocabSize) return "stop";
    call?.push(id);
    return "go";
  };
}

function forcedResults(results: readonly string[], tokenizer: Tokenizer, marks: Marks): number[] {
  const spelled = results.flatMap((text) => [
    marks.toolStart,
    ...tokenizer.encode(text),
    marks.toolEnd,
  ]);
  return [...spelled, marks.assistantStart];
}
