/**
 * One timeline of the scripted engine: steps of a reply become deltas, within limits, stop texts
 * and the signal. What is left of a cut reply stays in `rest`.
 */
import { NutshellError } from "../../error.ts";
import type { AssistantMessage, ToolCall } from "../chat/conversation.ts";
import type {
  Delta,
  Engine,
  FinishReason,
  GenerateOptions,
  Input,
  Session,
  TokenLogprob,
  Usage,
} from "../inference/engine.ts";
import type { ScriptedPast, ScriptedReply, ScriptedStep } from "./script.ts";
import { createStopScanner } from "./stop-texts.ts";

export interface ScriptedState {
  readonly inputs: readonly Input[];
  readonly length: number;
  /** Of a cut reply, what has not been said. */
  readonly rest: readonly ScriptedStep[] | undefined;
}

/** What all timelines share. */
export interface ScriptedScene {
  readonly engine: Engine;
  readonly sessions: Set<Session>;
  readonly total: { promptTokens: number; completionTokens: number; running: number };
  readonly beforeAppend: ((input: Input) => void | Promise<void>) | undefined;
  nextReply(past: ScriptedPast): ScriptedReply;
  open(state: ScriptedState): Session;
}

export function createScriptedSession(scene: ScriptedScene, start: ScriptedState): Session {
  let state = start;
  const used = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, draftTokens: 0 };

  async function append(input: Input, signal?: AbortSignal): Promise<Usage> {
    await scene.beforeAppend?.(input);
    if (signal?.aborted) throw new NutshellError("ABORTED", "append: was taken back.");
    const promptTokens = countTokens(input);
    const length = state.length + promptTokens;
    if (length > scene.engine.model.contextLen) throw tooLong(length, scene.engine);
    state = { inputs: [...state.inputs, input], length, rest: undefined };
    used.promptTokens += promptTokens;
    scene.total.promptTokens += promptTokens;
    return { promptTokens, cachedTokens: 0, completionTokens: 0, draftTokens: 0 };
  }

  function count(tokens: number): void {
    state = { ...state, length: state.length + tokens };
    used.completionTokens += tokens;
    scene.total.completionTokens += tokens;
  }

  const session: Session = {
    engine: scene.engine,
    get usage() {
      return { ...used };
    },
    get length() {
      return state.length;
    },
    append: (input, options) => append(input, options?.signal),
    async score(input, { top = 0, signal } = {}) {
      const first = state.length === 0;
      await append(input, signal);
      return readTokens(input).map((id, i) =>
        toLogprob(id, first && i === 0 ? Number.NaN : 0, top),
      );
    },
    async *generate(options = {}) {
      const messages = state.inputs.flatMap((input) =>
        input.kind === "messages" ? input.messages : [],
      );
      const steps = state.rest ?? toSteps(scene.nextReply({ ...state, messages, options }));
      const room = scene.engine.model.contextLen - state.length;
      const reply = createReply(steps, options, room, count);
      scene.total.running++;
      try {
        const finishReason = yield* reply.play();
        const { message, tokens } = reply;
        const usage = {
          promptTokens: 0,
          cachedTokens: 0,
          completionTokens: tokens(),
          draftTokens: 0,
        };
        return { finishReason, message: message(), usage };
      } finally {
        state = { ...state, rest: reply.rest() };
        scene.total.running--;
      }
    },
    fork: async () => scene.open(state),
    snapshot: async () => ({
      model: scene.engine.model.id,
      length: state.length,
      bytes: new TextEncoder().encode(JSON.stringify(state)),
    }),
    [Symbol.asyncDispose]: async () => {
      scene.sessions.delete(session);
    },
  };
  return session;
}

interface Reply {
  play(): AsyncGenerator<Delta, FinishReason>;
  message(): AssistantMessage;
  tokens(): number;
  rest(): readonly ScriptedStep[] | undefined;
}

function createReply(
  steps: readonly ScriptedStep[],
  { maxTokens = Infinity, stop = [], logprobs, signal }: GenerateOptions,
  room: number,
  count: (tokens: number) => void,
): Reply {
  const end = Math.min(maxTokens, room);
  const queue = [...steps];
  const calls: ToolCall[] = [];
  const scanner = createStopScanner(stop);
  let content = "";
  let tokens = 0;
  let stopped = false;

  const spend = (n: number): number => {
    const taken = Math.min(n, end - tokens);
    tokens += taken;
    count(taken);
    return taken;
  };

  function* say(text: string, logprob: number): Generator<Delta> {
    const characters = Array.from(text);
    const taken = characters.slice(0, spend(characters.length));
    const rest = characters.slice(taken.length).join("");
    if (rest !== "") queue.unshift({ text: rest, logprob });
    const safe = scanner.push(taken.join(""));
    stopped = safe.stopped;
    yield* emit(safe.text, logprob);
  }

  function* emit(text: string, logprob: number): Generator<Delta> {
    if (text === "") return;
    content += text;
    const ids = Array.from(text, (character) => character.codePointAt(0) as number);
    const listed = logprobs === undefined ? undefined : { top: logprobs };
    const told = listed && { tokens: ids.map((id) => toLogprob(id, logprob, listed.top)) };
    yield { type: "text-delta", text, ...told };
  }

  function* call({ name, arguments: json }: ToolCall): Generator<Delta> {
    const [index, id] = [calls.length, `call_${calls.length}`];
    spend(name.length + json.length);
    calls.push({ id, name, arguments: json });
    yield { type: "tool-call-start", index, id, name };
    const middle = json.length >> 1;
    for (const text of [json.slice(0, middle), json.slice(middle)])
      yield { type: "tool-call-delta", index, text };
  }

  async function* play(): AsyncGenerator<Delta, FinishReason> {
    for (let step = queue[0]; step !== undefined; step = queue[0]) {
      if (signal?.aborted) return "aborted";
      if (tokens + leastTokens(step) > end) return "length";
      queue.shift();
      if (typeof step === "string") yield* say(step, 0);
      else if ("text" in step) yield* say(step.text, step.logprob);
      else if ("call" in step) yield* call(step.call);
      else if ("error" in step) throw step.error;
      else await wait(step.waitMs, signal);
      if (stopped) return "stop";
    }
    return calls.length > 0 ? "tool-calls" : "stop";
  }

  return {
    async *play() {
      const reason = yield* play();
      if (reason === "stop" && stopped) queue.length = 0;
      yield* emit(scanner.end(), 0);
      return reason;
    },
    message: () => ({
      role: "assistant",
      content,
      ...(calls.length > 0 ? { toolCalls: calls } : {}),
    }),
    tokens: () => tokens,
    rest: () => (queue.length > 0 ? queue : undefined),
  };
}

/** A call comes whole or, where the limit would cut it, later. */
function leastTokens(step: ScriptedStep): number {
  if (typeof step === "string" || "text" in step) return 1;
  return "call" in step ? step.call.name.length + step.call.arguments.length : 0;
}

function toSteps(reply: ScriptedReply): readonly ScriptedStep[] {
  return typeof reply === "string" ? [reply] : reply;
}

/** Or until the signal, whichever is first. */
function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}

function readTokens(input: Input): number[] {
  if (input.kind === "tokens") return [...input.ids];
  const texts =
    input.kind === "text"
      ? [input.text]
      : [
          ...input.messages.map(({ content }) => content),
          ...(input.tools ?? []).map((tool) => JSON.stringify(tool)),
        ];
  return Array.from(texts.join(""), (character) => character.codePointAt(0) as number);
}

const countTokens = (input: Input): number => readTokens(input).length;

function toLogprob(id: number, logprob: number, top: number): TokenLogprob {
  const bytes = new TextEncoder().encode(String.fromCodePoint(id));
  const candidate = { id, bytes, logprob };
  return { ...candidate, top: top > 0 && !Number.isNaN(logprob) ? [candidate] : [] };
}

function tooLong(length: number, { model }: Engine): NutshellError {
  return new NutshellError(
    "CONTEXT",
    `append: the timeline must fit ${model.contextLen} tokens, got ${length}. Shorten the prompt.`,
  );
}
