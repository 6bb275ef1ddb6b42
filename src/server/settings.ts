/**
 * What a server may be told. Times are in milliseconds. The defaults suit one machine that serves
 * itself: nobody else can reach it, and no single client can use it up.
 */
import type { KeyRing } from "./keys.ts";

export interface ServerSettings {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** How requests name the model; absent: by the engine's id. */
  readonly modelName: string | undefined;
  /** Absent: nobody is asked for a key. */
  readonly keys: KeyRing | undefined;
  /** Serve other machines without keys. */
  readonly insecure: boolean;
  /** Origins whose pages may ask from a browser; "*": every one. */
  readonly cors: readonly string[];
  /** A key's share: requests and tokens a minute; absent: no limit. */
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** Requests that are computed at once, and that wait for it. */
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** For all headers to come in; then for all of a body. */
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** For a whole request, waiting included. */
  readonly requestTimeoutMs: number;
  /** A reader of a stream that takes nothing for so long is cut off. */
  readonly stallTimeoutMs: number;
  /** Between two signs of life on a stream. */
  readonly keepAliveMs: number;
  /** For running requests to end when the server stops. */
  readonly shutdownMs: number;
  /** Responses that are kept for `previous_response_id`, and their bytes together. */
  readonly maxStored: number;
  readonly maxStoredBytes: number;
}

export const defaultSettings: ServerSettings = {
  host: "127.0.0.1",
  port: 8080,
  modelName: undefined,
  keys: undefined,
  insecure: false,
  cors: [],
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  maxConcurrent: 64,
  maxQueue: 256,
  maxBodyBytes: 4 << 20,
  maxConnections: 2048,
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 60_000,
  requestTimeoutMs: 600_000,
  stallTimeoutMs: 30_000,
  keepAliveMs: 10_000,
  shutdownMs: 10_000,
  maxStored: 1000,
  maxStoredBytes: 64 << 20,
};
