/**
 * Language models as a device. Every token goes through the scheduler, in the lane of its model. A
 * timeline lives as long as its call, and goes with the process when that is killed; what a next
 * call begins with alike is found in the engine's pages, not kept here.
 *
 * A call that is repeated after a crash costs once more and harms nobody, so that all are idempotent;
 * a seed drawn from the call's key makes the second text the first one where the engine promises so.
 * What a model says is shaped by `model:NAME` and by all that it was shown. A model of another
 * machine is shown what the process sends it: whoever may not, holds a capability that names the
 * models it may ask.
 */
import { NutshellError } from "../../error.ts";
import type { Engine } from "../../llm/inference/engine.ts";
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext, CallResult, Cost, Syscall } from "../kernel/syscall.ts";
import { capacity } from "../plan/question.ts";
import type { Priority } from "../scheduler/policy.ts";
import type { Scheduler, Work } from "../scheduler/scheduler.ts";
import { type Label, labelOf } from "../security/label.ts";
import type { Json, Labelled } from "../security/labelled.ts";
import type { Device } from "./device.ts";
import { type Generated, Generation } from "./generation.ts";
import {
  askSchema,
  embedSchema,
  type GenerateArguments,
  generateSchema,
  maxTokensOf,
  modelsSchema,
  toOptions,
} from "./llm-arguments.ts";
import { mostTokens, type Question, toFormat, toMessages, tryReadAnswer } from "./llm-question.ts";
import { Swap, type SwapOptions } from "./swap.ts";

export interface LlmDeviceOptions {
  /** By the name that processes know, which names the lane; the first is the default. */
  readonly engines: ReadonlyMap<string, Engine>;
  readonly scheduler: Scheduler;
  /** Answers `llm.ask`; default: the first engine. */
  readonly quarantined?: string;
  readonly swap?: SwapOptions;
}

const usual: Priority = { nice: 0, interactive: false };
/** Texts of one turn of `llm.embed`. */
const EMBED_AT_ONCE = 8;
/** Tries of a typed question where a provider cannot be held to the type. */
const TRIES = 3;

/** Rows llm.generate, llm.ask, llm.embed, llm.models. It does not own the engines. */
export function createLlmDevice(options: LlmDeviceOptions): Device {
  const { engines, scheduler } = options;
  const swap = new Swap(options.swap);
  const [first] = engines.keys();

  const find = (name: string | undefined, usually = first): { name: string; engine: Engine } => {
    const wanted = name ?? usually ?? "";
    const engine = engines.get(wanted);
    if (engine !== undefined) return { name: wanted, engine };
    const known = [...engines.keys()].join(", ") || "none";
    throw new DeviceError(`llm: model must be one that is loaded: ${known}. See llm.models.`);
  };
  const serve = (lane: string, { pid, priority, signal }: CallContext, work: Work) =>
    scheduler.serve({ pid, lane, priority: priority ?? usual, signal }, work);

  async function generateOnce(
    { name, engine }: { readonly name: string; readonly engine: Engine },
    args: GenerateArguments,
    context: CallContext,
  ): Promise<Generated> {
    const { messages, tools = [] } = args;
    const room = engine.model.contextLen;
    const maxTokens = Math.min(maxTokensOf(args as unknown as Json), room);
    const seeded = engine.can.tokens ? { seed: seedOf(context.key), ...args } : args;
    const { signal } = context;
    const request = { messages, tools, maxTokens, options: toOptions(seeded), signal };
    const work = new Generation(engine, request, swap);
    await serve(name, context, work).catch((error: unknown) => fail(name, error));
    return work.generated;
  }

  async function generate({ value }: Labelled, context: CallContext): Promise<CallResult> {
    const args = value as unknown as GenerateArguments;
    const model = find(args.model);
    const made = await generateOnce(model, args, context);
    return toResult(model.name, made);
  }

  async function ask({ value }: Labelled, context: CallContext): Promise<CallResult> {
    const question = value as unknown as Question;
    const model = find(question.model, options.quarantined ?? first);
    const isHeld = model.engine.can.formats.includes("json-schema");
    let tokens = 0;
    for (let nth = 0; nth < TRIES; nth++) {
      const key = `${context.key}/${nth}`;
      const args = {
        messages: toMessages(question),
        maxTokens: mostTokens(question),
        ...(isHeld ? { format: toFormat(question) } : {}),
        ...(nth === 0 ? { temperature: 0 } : {}),
      };
      const made = await generateOnce(model, args, { ...context, key });
      tokens += costOf(made);
      const answer = tryReadAnswer(question, made.message.content);
      if (answer === undefined) continue;
      return {
        value: answer,
        labels: { label: answered(model.name, question, context) },
        cost: { tokens },
      };
    }
    throw new DeviceError(`llm: ${model.name} must give an answer of the type, got none.`, {
      labels: { label: answered(model.name, question, context) },
    });
  }

  async function embed({ value }: Labelled, context: CallContext): Promise<CallResult> {
    const { model, texts } = value as {
      readonly model?: string;
      readonly texts: readonly string[];
    };
    const { name, engine } = find(model);
    const vectors: number[][] = [];
    let tokens = 0;
    const work: Work = {
      async run() {
        const some = texts.slice(vectors.length, vectors.length + EMBED_AT_ONCE);
        const made = await engine.embed(some, { signal: context.signal });
        vectors.push(...made.vectors.map((vector) => [...vector]));
        tokens += made.promptTokens;
        return { tokens: made.promptTokens, done: vectors.length >= texts.length };
      },
    };
    if (texts.length > 0)
      await serve(name, context, work).catch((error: unknown) => fail(name, error));
    return {
      value: { vectors, model: name },
      labels: { label: labelOf(`model:${name}`) },
      cost: { tokens },
    };
  }

  const models = async (): Promise<CallResult> => ({
    value: [...engines].map(([name, engine]) => describe(name, engine)),
    labels: { label: labelOf("config") },
  });

  /** At most: what is sent, and the longest reply. */
  const atMost = (args: Json): Cost => {
    const { model, messages } = args as unknown as GenerateArguments;
    const codec = engines.get(model ?? first ?? "")?.codec;
    const text = JSON.stringify(messages);
    return {
      tokens: (codec?.encode(text).length ?? Math.ceil(text.length / 3)) + maxTokensOf(args),
    };
  };
  const row = (name: string, doc: string, args: Syscall["args"], run: Syscall["run"]) => ({
    ...{ name: `llm.${name}`, doc, args, run, effect: "idempotent" as const },
    ...{ access: "read" as const, sinks: {} },
  });
  return {
    name: "llm",
    calls: [
      { ...row("generate", docs.generate, generateSchema, generate), cost: atMost },
      row("ask", docs.ask, askSchema, ask),
      row("embed", docs.embed, embedSchema, embed),
      row("models", docs.models, modelsSchema, models),
    ],
    check: async () =>
      engines.size > 0
        ? { ok: true, text: `models: ${[...engines.keys()].join(", ")}` }
        : { ok: false, text: "no model: name one with --model" },
    [Symbol.asyncDispose]: () => swap[Symbol.asyncDispose](),
  };
}

const docs = {
  generate: "A model's reply to messages; may call the tools that are offered.",
  ask: "One typed question about data, to a model without tools and history.",
  embed: "A vector of length 1 for each text.",
  models: "The models that can be asked.",
};

const costOf = ({ promptTokens, completionTokens, wastedTokens }: Generated): number =>
  promptTokens + completionTokens + wastedTokens;

function toResult(name: string, made: Generated): CallResult {
  const { message, finishReason, ...usage } = made;
  return {
    value: { message, finishReason, usage, model: name } as unknown as Json,
    labels: { label: labelOf(`model:${name}`) },
    cost: { tokens: costOf(made) },
  };
}

/** An answer that fails steers too: the label is that of any answer. */
function answered(name: string, { id, type }: Question, { key }: CallContext): Label {
  return { ...labelOf(`model:${name}`), influence: new Map([[id ?? key, capacity(type)]]) };
}

function describe(name: string, { model, can }: Engine): Json {
  const { id, provider, contextLen } = model;
  return {
    name,
    id,
    provider,
    contextLen,
    tools: can.tools,
    embed: can.embed,
    formats: can.formats,
  };
}

/** FNV-1a, 31 bits: the same call draws the same text. */
function seedOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const unit of key) hash = Math.imul(hash ^ (unit.codePointAt(0) as number), 0x01000193);
  return hash >>> 1;
}

const failures: Readonly<Record<string, string>> = {
  CONTEXT: "the conversation must fit the model's context, got a longer one",
  UNSUPPORTED: "an option must be one that the model has, got another",
  OVERLOADED: "memory must be left for the conversation, got none. Try again later",
  PROVIDER: "the provider must answer, got a failure",
  ABORTED: "a request must not be taken back, got an abort",
};

/** Its words may repeat what it was given, or what a provider said. */
function fail(name: string, error: unknown): never {
  if (!(error instanceof NutshellError)) throw error;
  const rule = failures[error.code] ?? `the request must be one that it takes, got ${error.code}`;
  throw new DeviceError(`llm: ${name}: ${rule}.`, {
    detail: error.message,
    labels: { label: labelOf(`model:${name}`) },
    code: error.code === "ABORTED" ? "INTERRUPTED" : "DEVICE",
    cause: error,
  });
}
