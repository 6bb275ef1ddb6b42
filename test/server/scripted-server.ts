/**
 * A real server on a port of its own before a scripted engine, for one test. Its log is kept, and
 * at the end nothing may be left in the engine.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import OpenAI from "openai";
import type { Script } from "../../src/llm/engines/script.ts";
import {
  createScriptedEngine,
  type ScriptedSetting,
} from "../../src/llm/engines/scripted-engine.ts";
import type { Engine } from "../../src/llm/inference/engine.ts";
import type { ServerSettings } from "../../src/server/settings.ts";
import { startServer } from "../../src/server/start-server.ts";

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly engine: Engine;
  /** Every line, parsed. */
  readonly log: Readonly<Record<string, unknown>>[];
  readonly client: OpenAI;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export interface Serving {
  readonly script?: Script;
  readonly engine?: ScriptedSetting;
  readonly settings?: Partial<ServerSettings>;
}

/** A reply that never comes fails its test instead of holding it up. */
const PATIENCE_MS = 10_000;

export async function serveScript(t: TestContext, serving: Serving): Promise<TestServer> {
  const { script = () => "hello", settings } = serving;
  const engine = createScriptedEngine(script, serving.engine);
  const log: Record<string, unknown>[] = [];
  const quick = { port: 0, shutdownMs: 500, ...settings };
  const server = await startServer(engine, quick, (line) => log.push(JSON.parse(line)));
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= server.close();
    return closed;
  };
  t.after(async () => {
    await noSessions(engine);
    await close();
  });
  const post = (path: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
    fetch(server.url + path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...init,
      headers: { "content-type": "application/json", ...init.headers },
    });
  const baseURL = `${server.url}/v1`;
  const client = new OpenAI({
    baseURL,
    apiKey: "none-needed",
    maxRetries: 0,
    timeout: PATIENCE_MS,
  });
  return { ...server, engine, log, client, post, close };
}

/** Waits until every timeline is closed; fails when one stays. */
export async function noSessions(engine: Engine): Promise<void> {
  await until(() => engine.stats().sessions === 0 && engine.stats().running === 0, "no sessions");
}

export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(performance.now() < end, `must come to hold: ${what}`);
    await wait(5);
  }
}
