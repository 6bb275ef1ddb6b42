/**
 * An engine that replays given replies. It stands in for a model only to force rare paths in tests
 * (a provider that fails in mid-reply, a call cut by its limit, a slow first token); whatever a
 * real tiny model can show is shown with one.
 *
 * A token is one character (code point), so that limits and usage can be counted by eye. A reply
 * that was cut by `maxTokens` or its signal goes on at the next `generate`, unless something was
 * put onto the timeline in between. Sampling, format and tool choice are the script's business.
 */
import { NutshellError } from "../../error.ts";
import type {
  Abilities,
  Engine,
  EngineStats,
  Input,
  ModelInfo,
  Session,
  TextCodec,
} from "../inference/engine.ts";
import type { Script, ScriptedPast, ScriptedReply } from "./script.ts";
import { createScriptedSession, type ScriptedState } from "./scripted-session.ts";

export interface ScriptedSetting {
  readonly model?: Partial<ModelInfo>;
  readonly can?: Partial<Abilities>;
  /** Before anything is put onto a timeline; may throw, or take its time. */
  readonly beforeAppend?: (input: Input) => void | Promise<void>;
}

const EMBEDDING_SIZE = 8;

export const characterCodec: TextCodec = {
  vocabSize: 0x110000,
  encode: (text) => Array.from(text, (character) => character.codePointAt(0) as number),
  decode: (ids) => String.fromCodePoint(...ids),
  tokenBytes: (id) => new TextEncoder().encode(String.fromCodePoint(id)),
};

export function createScriptedEngine(script: Script, setting: ScriptedSetting = {}): Engine {
  const model: ModelInfo = {
    id: "scripted",
    provider: "scripted",
    contextLen: 4096,
    created: 0,
    embeddingSize: EMBEDDING_SIZE,
    ...setting.model,
  };
  const can: Abilities = {
    tokens: true,
    logprobs: true,
    tools: true,
    formats: ["text", "json", "json-schema", "grammar"],
    snapshot: true,
    resume: true,
    embed: true,
    ...setting.can,
  };
  const sessions = new Set<Session>();
  const total = { promptTokens: 0, completionTokens: 0, running: 0 };
  const nextReply = createReader(script);

  function open(state: ScriptedState = { inputs: [], length: 0, rest: undefined }): Session {
    const scene = { engine, nextReply, total, sessions, open, beforeAppend: setting.beforeAppend };
    const session = createScriptedSession(scene, state);
    sessions.add(session);
    return session;
  }

  const engine: Engine = {
    model,
    can,
    ...(can.tokens ? { codec: characterCodec } : {}),
    open: () => open(),
    restore: async ({ bytes, model: id }) => {
      if (id !== model.id) throw foreignSnapshot(id, model.id);
      return open(JSON.parse(new TextDecoder().decode(bytes)) as ScriptedState);
    },
    embed: async (texts) => ({
      vectors: texts.map(embedText),
      promptTokens: texts.reduce((sum, text) => sum + characterCodec.encode(text).length, 0),
    }),
    stats: (): EngineStats => ({
      ...total,
      sessions: sessions.size,
      waiting: 0,
      pagesUsed: 0,
      pagesTotal: 0,
      cachedTokens: 0,
      draftedTokens: 0,
      acceptedTokens: 0,
    }),
    [Symbol.asyncDispose]: async () => sessions.clear(),
  };
  return engine;
}

function createReader(script: Script): (past: ScriptedPast) => ScriptedReply {
  if (typeof script === "function") return script;
  let next = 0;
  return () => {
    const reply = script[next++];
    if (reply !== undefined) return reply;
    throw new NutshellError(
      "PROVIDER",
      `script: must hold a reply for each generate, got ${script.length}.`,
    );
  };
}

/** Texts with the same characters lie near one another; of length 1. */
function embedText(text: string): Float32Array {
  const vector = new Float32Array(EMBEDDING_SIZE);
  for (const id of [0, ...characterCodec.encode(text)]) {
    vector[id % EMBEDDING_SIZE] = (vector[id % EMBEDDING_SIZE] as number) + 1;
  }
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}

function foreignSnapshot(got: string, expected: string): NutshellError {
  return new NutshellError(
    "CHECKPOINT",
    `restore: snapshot must be of model ${expected}, got one of ${got}.`,
  );
}
