/**
 * Clients that come and go: each asks for something, streamed or whole, at one endpoint or another,
 * and may leave at any moment: before the reply, or after some of it. What was asked, and when it is
 * given up, follows from the seed.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { SoakServer } from "./soak-server.ts";

export interface LoadCounts {
  finished: number;
  aborted: number;
  /** Told to come back later, and did. */
  refused: number;
  bytes: number;
  /** What should not have happened, by what it was. */
  readonly errors: Map<string, number>;
}

export interface Load {
  readonly counts: LoadCounts;
  /** Asks nothing new; resolves when the last client is done. */
  stop(): Promise<void>;
}

/** Share of the requests that are given up. */
const ABORTS = 0.4;

type Draw = () => number;
type Ask = (draw: Draw, model: string) => readonly [path: string, body: object];

const words = "once upon a time a small robot went to the sea and found an old red boat".split(" ");

function someWords(draw: Draw): string {
  const count = 1 + Math.floor(draw() * 12);
  return Array.from({ length: count }, () => words[Math.floor(draw() * words.length)]).join(" ");
}

const asks: readonly Ask[] = [
  (draw, model) => ["chat/completions", { ...chat(draw, model), stream: true }],
  (draw, model) => ["chat/completions", { ...chat(draw, model), stream: true, n: 2 }],
  (draw, model) => ["chat/completions", chat(draw, model)],
  (draw, model) => ["responses", { model, input: someWords(draw), stream: true, ...limit(draw) }],
  (draw, model) => [
    "completions",
    { model, prompt: someWords(draw), stream: true, logprobs: 2, max_tokens: 32 },
  ],
];

function chat(draw: Draw, model: string): object {
  const messages = [
    { role: "system", content: "You are a tiny model under load." },
    { role: "user", content: someWords(draw) },
  ];
  return { model, messages, max_tokens: 8 + Math.floor(draw() * 56) };
}

function limit(draw: Draw): object {
  return { max_output_tokens: 8 + Math.floor(draw() * 56), store: draw() < 0.5 };
}

/** @see Steele, Vigna 2021, mulberry32-like 32-bit mixers; evenly spread is all that is needed */
function createDraw(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function startLoad(server: SoakServer, streams: number, seed: number): Load {
  const counts: LoadCounts = {
    finished: 0,
    aborted: 0,
    refused: 0,
    bytes: 0,
    errors: new Map(),
  };
  let stopped = false;
  const client = async (i: number): Promise<void> => {
    const draw = createDraw(seed * 1000 + i);
    while (!stopped) await askOnce(server, draw, counts);
  };
  const clients = Array.from({ length: streams }, (_, i) => client(i));
  return {
    counts,
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
  };
}

async function askOnce(server: SoakServer, draw: Draw, counts: LoadCounts): Promise<void> {
  const ask = asks[Math.floor(draw() * asks.length)] as Ask;
  const [path, body] = ask(draw, server.model);
  const controller = new AbortController();
  const patience = draw() < ABORTS ? draw() : undefined;
  const early = patience !== undefined && patience < 0.3;
  const timer = early ? setTimeout(() => controller.abort(), patience * 1000) : undefined;
  try {
    const reply = await fetch(`${server.url}/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: controller.signal,
    });
    await readReply(reply, patience, controller, counts);
  } catch (error) {
    if (controller.signal.aborted) counts.aborted++;
    else blame(counts, String(error));
  } finally {
    clearTimeout(timer);
  }
}

async function readReply(
  reply: Response,
  patience: number | undefined,
  controller: AbortController,
  counts: LoadCounts,
): Promise<void> {
  if (reply.status === 429) {
    await reply.text();
    counts.refused++;
    await wait(Number(reply.headers.get("retry-after")) * 500);
    return;
  }
  let text = "";
  const most = patience === undefined ? Infinity : patience * 20_000;
  const decoder = new TextDecoder();
  for await (const chunk of reply.body as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    counts.bytes += chunk.length;
    if (text.length > most) controller.abort();
  }
  const whole = reply.headers.get("content-type")?.startsWith("application/json") === true;
  if (reply.status !== 200) blame(counts, `${reply.status} ${text.slice(0, 200)}`);
  else if (!whole && !text.endsWith("data: [DONE]\n\n")) blame(counts, `cut: ${text.slice(-200)}`);
  else counts.finished++;
}

function blame({ errors }: LoadCounts, what: string): void {
  errors.set(what, (errors.get(what) ?? 0) + 1);
}
