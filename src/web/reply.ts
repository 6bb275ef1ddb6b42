/** One reply while it is made: asks, reads the stream, runs calls, asks again until none is left. */
import { runCall } from "./page-tools.ts";
import { streamChat } from "./stream.ts";
import { type Exchange, emptyStep, type Step } from "./transcript.ts";
import type { WireCall, WireChunk } from "./wire.ts";

/** Rounds of calls in one reply. */
const MOST_ROUNDS = 8;

export interface ReplyRequest {
  /** The body of a request whose messages end with these steps. */
  readonly body: (steps: readonly Step[]) => object;
  readonly key: string;
  readonly signal: AbortSignal;
}

/** @returns the exchange's new parts each time something came */
export async function* makeReply(
  request: ReplyRequest,
): AsyncGenerator<Omit<Exchange, "question">> {
  const done: Step[] = [];
  const clock = createClock();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let step = emptyStep;
    let finish = "";
    const stream = streamChat(request.body(done), request.key, request.signal);
    for await (const chunk of stream) {
      step = addChunk(step, chunk);
      finish = chunk.choices[0]?.finish_reason ?? finish;
      clock.note(chunk);
      yield { steps: [...done, step] };
    }
    done.push({ ...step, results: step.calls.map(runCall) });
    const note = finish === "length" ? { note: "cut: no tokens left" } : {};
    yield { steps: done, speed: clock.speed(), ...note };
    if (finish !== "tool_calls") return;
  }
}

function addChunk(step: Step, { choices }: WireChunk): Step {
  const [choice] = choices;
  if (choice === undefined) return step;
  const { content, tool_calls: deltas = [] } = choice.delta;
  const calls = [...step.calls];
  for (const { index, id = "", function: piece } of deltas) {
    const before: WireCall = calls[index] ?? {
      ...{ id, type: "function", function: { name: "", arguments: "" } },
    };
    const name = before.function.name + (piece?.name ?? "");
    const text = before.function.arguments + (piece?.arguments ?? "");
    calls[index] = { ...before, function: { name, arguments: text } };
  }
  const tokens = [...step.tokens, ...(choice.logprobs?.content ?? [])];
  return { ...step, content: step.content + (content ?? ""), tokens, calls };
}

/** Tokens by the server's own count; the time runs from the first piece of each round. */
function createClock(): {
  note(chunk: WireChunk): void;
  speed(): { rate: number; tokens: number };
} {
  let [tokens, ms, started, rounds] = [0, 0, Number.NaN, 0];
  return {
    note({ usage, choices }) {
      const { content, tool_calls } = choices[0]?.delta ?? {};
      if ((content || tool_calls) && Number.isNaN(started)) started = performance.now();
      if (!usage) return;
      tokens += usage.completion_tokens;
      ms += performance.now() - started;
      rounds++;
      started = Number.NaN;
    },
    // The first token of a round starts its clock.
    speed: () => ({ tokens, rate: ms > 0 ? (1000 * Math.max(0, tokens - rounds)) / ms : 0 }),
  };
}
