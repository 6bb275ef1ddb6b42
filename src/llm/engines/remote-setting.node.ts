/**
 * From a name like `anthropic/MODEL` and the environment to a remote model. Keys and addresses come
 * from the variables that the providers' own clients read, and from nowhere else. Such a name means
 * a provider always; a folder that is called like one is opened as `./openai/…`.
 */
import { NutshellError } from "../../error.ts";
import type { RemoteSetting } from "./remote-engine.ts";
import type { ProviderName } from "./remote-provider.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface Row {
  /** Variables of the key, the first that is set counts; absent: none is needed. */
  readonly keys: readonly string[];
  readonly needsKey: boolean;
  readonly url?: (env: Environment) => string | undefined;
}

const rows: Readonly<Record<ProviderName, Row>> = {
  openai: { keys: ["OPENAI_API_KEY"], needsKey: true, url: (env) => env.OPENAI_BASE_URL },
  "openai-compatible": {
    keys: ["OPENAI_API_KEY"],
    needsKey: false,
    url: (env) => env.OPENAI_BASE_URL,
  },
  anthropic: { keys: ["ANTHROPIC_API_KEY"], needsKey: true },
  google: { keys: ["GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"], needsKey: true },
  ollama: { keys: [], needsKey: false, url: ({ OLLAMA_HOST }) => toOllamaUrl(OLLAMA_HOST) },
};

/**
 * @param options.baseUrl goes before the environment's
 * @returns undefined for a name without a provider
 * @throws CONFIG naming the variable that must be set
 */
export function readRemoteSetting(
  name: string,
  env: Environment,
  options: { readonly baseUrl?: string | undefined } = {},
): RemoteSetting | undefined {
  const slash = name.indexOf("/");
  const provider = name.slice(0, Math.max(0, slash)) as ProviderName;
  const row = Object.hasOwn(rows, provider) ? rows[provider] : undefined;
  if (row === undefined) return undefined;
  const model = name.slice(slash + 1);
  if (model === "") throw missing(`${provider}/MODEL must name a model, got none`);
  const apiKey = row.keys.map((key) => env[key]).find((key) => key !== undefined && key !== "");
  const keys = row.keys.join(" or ");
  if (row.needsKey && !apiKey) throw missing(`${provider} needs a key, got none. Set ${keys}`);
  const baseUrl = options.baseUrl ?? row.url?.(env);
  if (provider === "openai-compatible" && !baseUrl)
    throw missing(`${provider} needs an address, got none. Set OPENAI_BASE_URL`);
  const address = baseUrl ? { baseUrl: baseUrl.replace(/\/+$/, "") } : {};
  return { provider, name: model, ...address, ...(apiKey ? { apiKey } : {}) };
}

/** As Ollama's own client reads it: a host, a host and port, or a URL. */
function toOllamaUrl(host: string | undefined): string | undefined {
  if (host === undefined || host === "") return undefined;
  const url = new URL(host.includes("://") ? host : `http://${host}`);
  if (url.port === "" && !host.includes("://")) url.port = "11434";
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  return `${url.origin}/v1`;
}

function missing(what: string): NutshellError {
  return new NutshellError("CONFIG", `engine: ${what}.`);
}
