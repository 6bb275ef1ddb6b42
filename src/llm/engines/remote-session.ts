/**
 * A timeline of a remote model: messages, and of a reply that was cut what came of it. The provider
 * is sent all of them each time; tokens are estimated until it has counted them.
 */
import { NutshellError } from "../../error.ts";
import type { AssistantMessage, Message } from "../chat/conversation.ts";
import type {
  Delta,
  Ended,
  Engine,
  FinishReason,
  GenerateOptions,
  Input,
  Session,
  Snapshot,
  TokenLogprob,
  ToolDefinition,
  Usage,
} from "../inference/engine.ts";
import { orderAnswers, waitingCalls } from "./answer-order.ts";
import { checkRemote } from "./check-remote.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { type CallNotes, toModelMessages } from "./remote-messages.ts";
import type { ProviderName } from "./remote-provider.ts";
import { emptyMade, type Made, type RemoteRequest, readRemote } from "./remote-reply.ts";
import { addUsage, NO_USAGE } from "./usage.ts";

export interface RemoteState {
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** Of a reply that was cut; absent: no reply is open. */
  readonly partial?: string | undefined;
  readonly notes: CallNotes;
  /** Tokens, as far as the provider counted them, and estimated. */
  readonly length: number;
}

export const emptyRemoteState: RemoteState = { messages: [], tools: [], notes: {}, length: 0 };

/** What the sessions of one engine share. */
export interface RemoteScene {
  readonly engine: Engine;
  readonly provider: ProviderName;
  readonly request: Pick<RemoteRequest, "model" | "patience" | "secret">;
  readonly sessions: Set<Session>;
  readonly total: { running: number; promptTokens: number; completionTokens: number };
}

export class RemoteSession implements Session {
  readonly engine: Engine;
  readonly #scene: RemoteScene;
  #state: RemoteState;
  #usage: Usage = NO_USAGE;
  /** Put on since the provider last counted, estimated. */
  #pending: Usage = NO_USAGE;
  readonly #occupy = oneAtATime();

  constructor(scene: RemoteScene, state: RemoteState = emptyRemoteState) {
    this.engine = scene.engine;
    this.#scene = scene;
    this.#state = state;
    scene.sessions.add(this);
  }
  get usage(): Usage {
    return addUsage(this.#usage, this.#pending);
  }
  get length(): number {
    return this.#state.length;
  }

  async append(input: Input, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Usage> {
    using _ = this.#occupy();
    if (input.kind !== "messages") throw onlyMessages(this.#scene.provider, input.kind);
    if (signal?.aborted) throw new NutshellError("ABORTED", "append: was taken back.");
    const { tools = this.#state.tools, messages } = input;
    const past = closed(this.#state);
    const all = [...past, ...orderAnswers(past, messages)];
    toModelMessages(all, {});
    const changed = tools === this.#state.tools ? [] : tools;
    const promptTokens = estimate(messages) + estimate(changed);
    const length = this.#state.length + promptTokens;
    this.#state = { messages: all, tools, notes: this.#state.notes, length };
    const usage = { ...NO_USAGE, promptTokens };
    this.#pending = addUsage(this.#pending, usage);
    return usage;
  }

  async score(): Promise<readonly TokenLogprob[]> {
    throw new NutshellError(
      "UNSUPPORTED",
      `score: a model must show log-probabilities, got one of ${this.#scene.provider}.`,
    );
  }

  async *generate(options: GenerateOptions = {}): AsyncGenerator<Delta, Ended> {
    checkRemote(this.#scene.provider, options, (this.#state.partial ?? "") !== "");
    checkTurn(this.#state);
    checkChoice(options, this.#state.tools);
    using _ = this.#occupy();
    const made = emptyMade();
    let finishReason: FinishReason = "aborted";
    let isWhole = false;
    this.#scene.total.running++;
    try {
      if (!options.signal?.aborted) finishReason = yield* readRemote(this.#request(options), made);
      isWhole = finishReason !== "aborted" && finishReason !== "length";
    } finally {
      this.#scene.total.running--;
      this.#settle(made, isWhole);
    }
    return { finishReason, message: messageOf(made, made.content), usage: usageOf(made) };
  }

  #request(options: GenerateOptions): RemoteRequest {
    const { messages, tools, partial, notes } = this.#state;
    const open: Message[] = partial ? [{ role: "assistant", content: partial }] : [];
    const all = toModelMessages([...messages, ...open], notes);
    const { provider, request } = this.#scene;
    return { ...request, provider, messages: all, tools, options };
  }

  /** Keeps what came: as a turn where it is whole or holds calls, else as one that may go on. */
  #settle(made: Made, isWhole: boolean): void {
    const { messages, tools, partial = "" } = this.#state;
    const notes = { ...this.#state.notes, ...made.notes };
    const content = partial + made.content;
    const usage = usageOf(made);
    const counted = made.promptTokens !== undefined;
    const length = (counted ? usage.promptTokens : this.length) + usage.completionTokens;
    const state = { messages, tools, notes, length };
    this.#state =
      isWhole || made.calls.length > 0
        ? { ...state, messages: [...messages, messageOf(made, content)] }
        : { ...state, partial: content };
    this.#usage = addUsage(this.#usage, counted ? usage : addUsage(this.#pending, usage));
    this.#pending = NO_USAGE;
    this.#scene.total.promptTokens += usage.promptTokens;
    this.#scene.total.completionTokens += usage.completionTokens;
  }

  async fork(): Promise<Session> {
    return new RemoteSession(this.#scene, this.#state);
  }
  async snapshot(): Promise<Snapshot> {
    const bytes = new TextEncoder().encode(JSON.stringify(this.#state));
    return { model: snapshotModel(this.#scene), length: this.length, bytes };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#scene.sessions.delete(this);
  }
}

/** What a snapshot is of. */
export function snapshotModel({ provider, request }: RemoteScene): string {
  return `${provider}/${request.model.modelId}`;
}

function closed({ messages, partial }: RemoteState): readonly Message[] {
  return partial ? [...messages, { role: "assistant", content: partial }] : messages;
}

function messageOf({ calls }: Made, content: string): AssistantMessage {
  return { role: "assistant", content, ...(calls.length > 0 ? { toolCalls: calls } : {}) };
}

function usageOf(made: Made): Usage {
  const text = [made.content, ...made.calls.map((call) => call.arguments)].join("");
  return {
    promptTokens: made.promptTokens ?? 0,
    cachedTokens: made.cachedTokens ?? 0,
    completionTokens: made.completionTokens ?? Math.ceil(text.length / CHARACTERS_A_TOKEN),
    draftTokens: 0,
  };
}

/** Of English text under common vocabularies. */
const CHARACTERS_A_TOKEN = 4;

function estimate(parts: readonly object[]): number {
  const lengths = parts.map((part) => JSON.stringify(Object.values(part)).length);
  return lengths.reduce((sum, length) => sum + Math.ceil(length / CHARACTERS_A_TOKEN), 0);
}

function checkTurn({ messages }: RemoteState): void {
  const last = messages.at(-1);
  const waiting = waitingCalls(messages).map(({ name }) => name);
  const fail = (rule: string, got: string): never => {
    throw new NutshellError("CONFIG", `generate: ${rule}, got ${got}. Append what is missing.`);
  };
  if (last === undefined) fail("a conversation must hold a message", "none");
  if (waiting.length > 0) fail("calls must be answered first", `none for ${waiting.join(", ")}`);
  if (last?.role === "assistant") fail("somebody else must have spoken", "the model's own turn");
}

function checkChoice({ toolChoice }: GenerateOptions, tools: readonly ToolDefinition[]): void {
  if (toolChoice === undefined || toolChoice === "auto" || toolChoice === "none") return;
  const isOffered =
    toolChoice === "required"
      ? tools.length > 0
      : tools.some(({ name }) => name === toolChoice.name);
  if (isOffered) return;
  throw new NutshellError(
    "CONFIG",
    `generate: toolChoice must be of an offered tool, got ${JSON.stringify(toolChoice)}; ` +
      `offered: ${tools.map(({ name }) => name).join(", ") || "none"}.`,
  );
}

function onlyMessages(provider: string, got: string): NutshellError {
  return new NutshellError(
    "UNSUPPORTED",
    `append: a model of ${provider} takes messages, got ${got}. Use a model of this machine.`,
  );
}
