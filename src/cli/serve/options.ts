/** What `nutshell serve` can be told: the model, the door, the limits. Times are in seconds. */
import type { BackendChoice } from "../../compute/backends/choose.node.ts";
import { NutshellError } from "../../error.ts";
import type { OpenEngineOptions } from "../../llm/engines/open-engine.node.ts";
import { stageOptions } from "../../llm/run/stage-options.ts";
import { inRange, type OptionTableFor, positive } from "../../options.ts";
import { createKeyRing } from "../../server/keys.ts";
import { defaultSettings, type ServerSettings } from "../../server/settings.ts";

type Weights = NonNullable<OpenEngineOptions["weights"]>;

export interface ServeValues {
  model: string | undefined;
  as: string | undefined;
  host: string;
  port: number;
  key: string | undefined;
  keysFile: string | undefined;
  insecure: boolean;
  cors: string | undefined;
  rateLimit: number | undefined;
  tokenLimit: number | undefined;
  maxConcurrent: number;
  maxQueue: number;
  maxBody: number;
  requestTimeout: number;
  stallTimeout: number;
  shutdownTimeout: number;
  weights: Weights;
  context: number | undefined;
  kvMib: number | undefined;
  maxBatch: number | undefined;
  draft: string | undefined;
  steady: boolean;
  backend: BackendChoice;
  threads: number | undefined;
  quiet: boolean;
}

const WEIGHTS: readonly Weights[] = ["bf16", "f32", "q8_0", "q4_0"];
const many = inRange(1, Number.POSITIVE_INFINITY);
const seconds = inRange(0.1, 86_400);
const DEFAULTS = defaultSettings;

export const serveOptions: OptionTableFor<ServeValues> = {
  model: {
    ...stageOptions.model,
    doc:
      "A checkpoint or model folder, a run, a .gguf file, or PROVIDER/MODEL: openai, anthropic, google, " +
      "ollama, openai-compatible.",
  },
  as: {
    type: "string?",
    value: undefined,
    placeholder: "NAME",
    doc: "How requests name the model; absent: its folder's name.",
  },
  host: {
    type: "string",
    value: DEFAULTS.host,
    placeholder: "ADDRESS",
    doc: "Where to listen. Others than this machine's own need keys.",
  },
  port: {
    type: "integer",
    value: DEFAULTS.port,
    doc: "Where to listen; 0: any that is free.",
    check: inRange(0, 65535),
  },
  key: {
    type: "string?",
    value: undefined,
    doc: "The API key that clients must have. Other users of this machine can see it: see --keys-file.",
  },
  keysFile: {
    type: "string?",
    value: undefined,
    placeholder: "FILE",
    doc: "API keys, one a line, as they are or as sha256:HEX.",
  },
  insecure: { type: "boolean", value: false, doc: "Serve other machines without keys." },
  cors: {
    type: "string?",
    value: undefined,
    placeholder: "ORIGIN,…",
    doc: "Origins whose pages may ask from a browser, or *; absent: none but our own page.",
  },
  rateLimit: { type: "integer?", value: undefined, doc: "Requests a minute and key.", check: many },
  tokenLimit: { type: "integer?", value: undefined, doc: "Tokens a minute and key.", check: many },
  maxConcurrent: {
    type: "integer",
    value: DEFAULTS.maxConcurrent,
    doc: "Requests that are computed at once.",
    check: many,
  },
  maxQueue: {
    type: "integer",
    value: DEFAULTS.maxQueue,
    doc: "Requests that may wait for it; more are told to come back.",
    check: inRange(0, Number.POSITIVE_INFINITY),
  },
  maxBody: {
    type: "integer",
    value: DEFAULTS.maxBodyBytes,
    placeholder: "BYTES",
    doc: "Of a request.",
    check: many,
  },
  requestTimeout: {
    type: "number",
    value: DEFAULTS.requestTimeoutMs / 1000,
    doc: "Seconds for a whole request.",
    check: seconds,
  },
  stallTimeout: {
    type: "number",
    value: DEFAULTS.stallTimeoutMs / 1000,
    doc: "Seconds until a reader that takes nothing is cut off.",
    check: seconds,
  },
  shutdownTimeout: {
    type: "number",
    value: DEFAULTS.shutdownMs / 1000,
    doc: "Seconds for running requests to end when the server stops.",
    check: seconds,
  },
  weights: {
    type: "string",
    value: "bf16",
    doc: "How matrices are stored: q8_0 takes half the memory of bf16, q4_0 a quarter.",
    choices: WEIGHTS,
  },
  context: {
    type: "integer?",
    value: undefined,
    doc: "Tokens of prompt and text together; absent: the model's, which is the most.",
    check: positive,
  },
  kvMib: {
    type: "number?",
    value: undefined,
    placeholder: "MIB",
    doc: "Memory of keys and values; absent: for --max-batch full contexts, at most 1024.",
    check: positive,
  },
  maxBatch: {
    type: "integer?",
    value: undefined,
    doc: "Texts that grow side by side; absent: 16, and 4 of a GGUF file.",
    check: many,
  },
  draft: {
    type: "string?",
    value: undefined,
    placeholder: "lookup|DIR",
    doc: "Who guesses for a text that is served alone: itself, or a smaller model of its vocabulary.",
  },
  steady: {
    type: "boolean",
    value: false,
    doc: "The same bits in any company, slower for a text that is alone.",
  },
  backend: stageOptions.backend,
  threads: stageOptions.threads,
  quiet: { type: "boolean", value: false, doc: "No line for each request." },
};

export function toEngineOptions(values: ServeValues): OpenEngineOptions {
  const { weights, context, kvMib, maxBatch, draft, steady, backend, threads } = values;
  return {
    weights,
    maxBatch,
    draft,
    steady,
    backend,
    threads,
    contextLen: context,
    kvBytes: kvMib === undefined ? undefined : Math.floor(kvMib * 2 ** 20),
  };
}

/**
 * @param keysText of the keys' file
 * @throws CONFIG for a key that can be none
 */
export function toServerSettings(
  values: ServeValues,
  keysText: string | undefined,
): Partial<ServerSettings> {
  const { key, cors, host, port, insecure, maxConcurrent, maxQueue } = values;
  const lines = [...(key === undefined ? [] : [key]), ...(keysText ?? "").split("\n")];
  const asked = key !== undefined || keysText !== undefined;
  return {
    ...{ host, port, insecure, maxConcurrent, maxQueue },
    modelName: values.as,
    keys: asked ? createKeyRing(lines) : undefined,
    cors: (cors ?? "").split(",").filter(Boolean).map(toOrigin),
    requestsPerMinute: values.rateLimit,
    tokensPerMinute: values.tokenLimit,
    maxBodyBytes: values.maxBody,
    requestTimeoutMs: values.requestTimeout * 1000,
    stallTimeoutMs: values.stallTimeout * 1000,
    shutdownMs: values.shutdownTimeout * 1000,
  };
}

/** An origin has no path: one with a slash at its end would never be matched. */
function toOrigin(word: string): string {
  if (word === "*") return word;
  const origin = URL.canParse(word) ? new URL(word).origin : "null";
  if (origin !== "null") return origin;
  throw new NutshellError(
    "USAGE",
    `serve: --cors takes origins like https://a.org, got "${word}".`,
  );
}
