/**
 * From what is asked to events: opens a timeline a prompt, puts the prompt on it, forks it for
 * every further choice and lets all go on. Whatever happens, every timeline is closed when the loop
 * over the events ends. It knows nothing of HTTP.
 */
import type {
  Delta,
  Ended,
  Engine,
  GenerateOptions,
  Input,
  Session,
  TokenLogprob,
  Usage,
} from "../llm/inference/engine.ts";
import { mergeSources } from "./merge.ts";

export interface GenerationRequest {
  readonly prompts: readonly Input[];
  /** Texts a prompt. */
  readonly n: number;
  /** End a text behind its first call. */
  readonly singleCall: boolean;
  /** What the model thinks of the prompt's tokens too, with so many alternatives. */
  readonly scorePrompt?: number;
  readonly options: Omit<GenerateOptions, "signal">;
}

export type GenerationEvent =
  | {
      readonly type: "prompt";
      /** Which of the prompts. */
      readonly prompt: number;
      readonly usage: Usage;
      readonly tokens?: readonly TokenLogprob[];
    }
  /** Choices of a prompt stand together: prompt 0 has 0 to n - 1. */
  | { readonly type: "delta"; readonly choice: number; readonly delta: Delta }
  | { readonly type: "ended"; readonly choice: number; readonly ended: Ended };

/** Prompts of one request that are computed at the same time. */
const PROMPTS_AT_ONCE = 4;

/**
 * @param onUntold gets the tokens of a text whose end nobody took any more
 * @throws what the engine throws
 */
export async function* generateChoices(
  engine: Engine,
  request: GenerationRequest,
  signal: AbortSignal,
  onUntold: (completionTokens: number) => void,
): AsyncGenerator<GenerationEvent, void> {
  const asked = { ...request, onUntold };
  const open = request.prompts.map(
    (_, prompt) => () => promptEvents(engine, asked, prompt, signal),
  );
  yield* mergeSources(open, PROMPTS_AT_ONCE);
}

interface Asked extends GenerationRequest {
  readonly onUntold: (completionTokens: number) => void;
}

async function* promptEvents(
  engine: Engine,
  request: Asked,
  prompt: number,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent, void> {
  await using stack = new AsyncDisposableStack();
  const first = stack.use(engine.open());
  const tokens = await putPrompt(first, request, prompt, signal);
  yield { type: "prompt", prompt, usage: first.usage, ...(tokens ? { tokens } : {}) };
  if (request.options.maxTokens === 0) return yield* noText(prompt, request.n);
  const sessions = [first];
  while (sessions.length < request.n) sessions.push(stack.use(await first.fork()));
  const open = sessions.map(
    (session, i) => () => choiceEvents(session, request, prompt * request.n + i, signal),
  );
  yield* mergeSources(open, open.length);
}

/** @returns the prompt's tokens where they are to be scored */
async function putPrompt(
  session: Session,
  { prompts, scorePrompt }: GenerationRequest,
  prompt: number,
  signal: AbortSignal,
): Promise<readonly TokenLogprob[] | undefined> {
  const input = prompts[prompt] as Input;
  if (scorePrompt !== undefined) return session.score(input, { top: scorePrompt, signal });
  await session.append(input, { signal });
  return undefined;
}

async function* choiceEvents(
  session: Session,
  { options, n, singleCall, onUntold }: Asked,
  choice: number,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent, void> {
  const text = session.generate({ ...forChoice(options, choice % n), signal });
  let told = false;
  try {
    let next = await text.next();
    for (; next.done !== true; next = await text.next()) {
      const delta = next.value;
      if (singleCall && delta.type === "tool-call-start" && delta.index > 0) break;
      yield { type: "delta", choice, delta };
    }
    if (next.done !== true) await text.return(undefined as never);
    const ended = next.done === true ? next.value : cutBehindCall(session);
    told = true;
    yield { type: "ended", choice, ended };
  } finally {
    await text.return(undefined as never);
    if (!told) onUntold(session.usage.completionTokens);
  }
}

/** Each choice draws its own numbers. */
function forChoice(options: GenerationRequest["options"], i: number): GenerateOptions {
  const { sampling } = options;
  if (sampling?.seed === undefined) return options;
  return { ...options, sampling: { ...sampling, seed: (sampling.seed + i) % 2 ** 32 } };
}

function cutBehindCall({ usage }: Session): Ended {
  return { finishReason: "tool-calls", message: { role: "assistant", content: "" }, usage };
}

function* noText(prompt: number, n: number): Generator<GenerationEvent, void> {
  const usage: Usage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, draftTokens: 0 };
  const message = { role: "assistant", content: "" } as const;
  const ended: Ended = { finishReason: "length", message, usage };
  for (let i = 0; i < n; i++) yield { type: "ended", choice: prompt * n + i, ended };
}
