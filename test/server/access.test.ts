/** Who gets in, how often, and what waits: keys, hosts, origins, rates, the queue, the end. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { test } from "node:test";
import { createScriptedEngine } from "../../src/llm/engines/scripted-engine.ts";
import { createKeyRing } from "../../src/server/keys.ts";
import { createRateLimiter } from "../../src/server/rate-limit.ts";
import { startServer } from "../../src/server/start-server.ts";
import { noSessions, serveScript, until } from "./scripted-server.ts";

const CHAT = "/v1/chat/completions";
const ask = { messages: [{ role: "user" as const, content: "hi" }] };
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

/** fetch would not let a test choose these headers. */
function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    sent.on("error", reject).end();
  });
}

test("with keys nobody gets in without one; health stays open", async (t) => {
  const hex = createHash("sha256").update("second-key").digest("hex");
  const keys = createKeyRing(["# ours", "", "first-key", `sha256:${hex}`]);
  const { post, url, log } = await serveScript(t, { settings: { keys } });
  const get = (path: string, init?: RequestInit) => fetch(url + path, init);
  assert.equal((await post(CHAT, ask, bearer("first-key"))).status, 200);
  assert.equal((await post(CHAT, ask, bearer("second-key"))).status, 200);
  for (const init of [{}, bearer("first-kez"), bearer(hex), bearer(`sha256:${hex}`), bearer("")]) {
    const reply = await post(CHAT, ask, init);
    assert.equal(reply.status, 401);
    assert.equal(reply.headers.get("www-authenticate"), "Bearer");
    assert.match(await reply.text(), /"code":"invalid_api_key"/);
  }
  assert.equal((await get("/metrics")).status, 401);
  assert.equal((await get("/metrics", bearer("first-key"))).status, 200);
  assert.equal((await get("/health")).status, 200);
  assert.ok(!JSON.stringify(log).includes("first-key"));
});

test("keys that can be none are refused by their number, not their text", () => {
  for (const lines of [[], ["# none"], ["good-key-1", "short"], ["with a space"], ["sha256:12"]])
    assert.throws(() => createKeyRing(lines), { code: "CONFIG" });
  assert.throws(
    () => createKeyRing(["good-key-1", "a secret with spaces"]),
    (error: Error) => /key 2/.test(error.message) && !error.message.includes("secret"),
  );
});

test("without keys the machine has to be named, and pages of others stay out", async (t) => {
  const { url, port } = await serveScript(t, { settings: { cors: ["https://a.org"] } });
  const rows: readonly (readonly [Record<string, string>, number])[] = [
    [{ host: `localhost:${port}` }, 200],
    [{ host: `127.0.0.1:${port}` }, 200],
    [{ host: `[::1]:${port}` }, 200],
    [{ host: "evil.org" }, 403],
    [{ host: `127.0.0.1.evil.org:${port}` }, 403],
    [{ host: `localhost:${port}`, origin: `http://localhost:${port}` }, 200],
    [{ host: `localhost:${port}`, origin: "https://a.org" }, 200],
    [{ host: `localhost:${port}`, origin: "http://localhost:1" }, 403],
    [{ host: `localhost:${port}`, origin: "https://b.org" }, 403],
    [{ host: `localhost:${port}`, origin: "null" }, 403],
  ];
  for (const [headers, status] of rows)
    assert.equal(await statusOf(`${url}/v1/models`, headers), status, JSON.stringify(headers));
  const preflight = (origin: string) =>
    fetch(`${url}${CHAT}`, { method: "OPTIONS", headers: { origin } });
  const asked = { origin: "https://a.org", "access-control-request-headers": "x-stainless-os" };
  const named = await fetch(`${url}${CHAT}`, { method: "OPTIONS", headers: asked });
  assert.equal(named.headers.get("access-control-allow-headers"), "x-stainless-os");
  const own = await preflight("https://a.org");
  assert.equal(own.headers.get("access-control-allow-origin"), "https://a.org");
  assert.equal((await preflight("https://b.org")).headers.get("access-control-allow-origin"), null);
});

test("an open address without keys is refused, unless that is asked for", async () => {
  const engine = createScriptedEngine([]);
  const open = { host: "0.0.0.0", port: 0 };
  await assert.rejects(
    startServer(engine, open, () => {}),
    { code: "CONFIG" },
  );
  const server = await startServer(engine, { ...open, insecure: true }, () => {});
  await server.close();
});

test("requests and tokens a minute, each key its own", async (t) => {
  const keys = createKeyRing(["key-of-ann", "key-of-bob"]);
  const settings = { keys, requestsPerMinute: 2, tokensPerMinute: 1000 };
  const { post } = await serveScript(t, { settings });
  const first = await post(CHAT, ask, bearer("key-of-ann"));
  assert.equal(first.headers.get("x-ratelimit-limit-requests"), "2");
  assert.equal(first.headers.get("x-ratelimit-remaining-requests"), "1");
  assert.equal(first.headers.get("x-ratelimit-limit-tokens"), "1000");
  const second = await post(CHAT, ask, bearer("key-of-ann"));
  const left = Number(second.headers.get("x-ratelimit-remaining-tokens"));
  assert.ok(left >= 993 && left <= 994, `7 tokens were used, got ${left} left`);
  const third = await post(CHAT, ask, bearer("key-of-ann"));
  assert.equal(third.status, 429);
  assert.ok(Number(third.headers.get("retry-after")) > 20);
  assert.match(await third.text(), /"type":"rate_limit_error"[\s\S]*"code":"rate_limit_exceeded"/);
  assert.equal((await post(CHAT, ask, bearer("key-of-bob"))).status, 200);
});

test("who hangs up before the end pays for what was made", async (t) => {
  const words = Array<string>(100).fill("word ");
  const long = [...words, ...Array(500).fill({ waitMs: 20 })];
  let asked = 0;
  const script = () => (asked++ === 0 ? long : "ok");
  const settings = { tokensPerMinute: 1000 };
  const { client, log, post } = await serveScript(t, { script, settings });
  const stream = await client.chat.completions.create({ model: "scripted", ...ask, stream: true });
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 95) break;
  await until(() => log.length === 1, "a line of log");
  assert.ok(Number(log[0]?.completionTokens) >= 90, JSON.stringify(log[0]));
  const left = (await post(CHAT, ask)).headers.get("x-ratelimit-remaining-tokens");
  assert.ok(Number(left) < 920, `got ${left} left`);
});

test("a bucket fills evenly, and debts are paid first", () => {
  let now = 0;
  const limiter = createRateLimiter({ requests: 60, tokens: 600 }, () => now);
  for (let i = 0; i < 60; i++) limiter.take("a");
  assert.throws(() => limiter.take("a"), { status: 429, headers: { "retry-after": "1" } });
  now += 1000;
  limiter.take("a");
  limiter.spend("a", 1200);
  now += 59_000;
  assert.throws(() => limiter.take("a"), /600 tokens a minute/);
  now += 2000;
  limiter.take("a");
});

test("a full house queues, a full queue says when to come back", async (t) => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const settings = { maxConcurrent: 1, maxQueue: 1, keepAliveMs: 50 };
  const server = await serveScript(t, { settings, engine: { beforeAppend: () => gate } });
  const { post, engine, url } = server;
  const first = post(CHAT, ask);
  await until(() => engine.stats().sessions === 1, "the first is with the engine");
  const second = await post(CHAT, { ...ask, stream: true });
  assert.equal(second.status, 200, "a stream is begun while it waits");
  const third = await post(CHAT, ask);
  assert.equal(third.status, 429);
  assert.equal(third.headers.get("retry-after"), "2");
  assert.match(await third.text(), /"code":"queue_full"/);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /nutshell_requests_active 1\n/);
  assert.match(metrics, /nutshell_requests_waiting 1\n/);
  const reader = (second.body as ReadableStream<Uint8Array>).getReader();
  const sign = await reader.read();
  assert.equal(new TextDecoder().decode(sign.value), ": keep-alive\n\n");
  open();
  assert.equal((await first).status, 200);
  while (!(await reader.read()).done);
});

test("who waits in the queue and leaves is forgotten", async (t) => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const settings = { maxConcurrent: 1, maxQueue: 1 };
  const { post, engine } = await serveScript(t, { settings, engine: { beforeAppend: () => gate } });
  const first = post(CHAT, ask);
  await until(() => engine.stats().sessions === 1, "the first is with the engine");
  for (let i = 0; i < 3; i++) {
    const signal = AbortSignal.timeout(100);
    await assert.rejects(post(CHAT, ask, { signal }), { name: "TimeoutError" });
  }
  open();
  assert.equal((await first).status, 200);
  assert.equal((await post(CHAT, ask)).status, 200);
  await noSessions(engine);
});

test("metrics count requests, tokens and times", async (t) => {
  const { post, url } = await serveScript(t, { script: () => ["hel", "lo"] });
  await (await post(CHAT, ask)).text();
  await (await post(CHAT, {})).text();
  await fetch(`${url}/nowhere/private-path`);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  for (const line of [
    'nutshell_requests_total{route="/v1/chat/completions",status="200"} 1',
    'nutshell_requests_total{route="/v1/chat/completions",status="400"} 1',
    'nutshell_requests_total{route="unmatched",status="404"} 1',
    "nutshell_prompt_tokens_total 2",
    "nutshell_completion_tokens_total 5",
    "nutshell_time_to_first_token_seconds_count 1",
    "nutshell_inter_token_latency_seconds_count 1",
    "nutshell_sessions 0",
  ])
    assert.ok(metrics.includes(`${line}\n`), `${line} must be in\n${metrics}`);
  assert.ok(!metrics.includes("private-path"));
});

test("a server that stops lets its requests end, and takes no new ones", async (t) => {
  const script = () => ["a", { waitMs: 200 }, "b"];
  const { post, close, engine, url } = await serveScript(t, { script });
  const running = post(CHAT, ask);
  await until(() => engine.stats().running === 1, "it runs");
  const closed = close();
  await assert.rejects(fetch(`${url}/health`));
  assert.match(await (await running).text(), /"content":"ab"/);
  await closed;
});

test("what does not end in time is cut, and told so", async (t) => {
  const script = () => ["a", ...Array(2000).fill({ waitMs: 5 })];
  const { post, close, engine } = await serveScript(t, { script, settings: { shutdownMs: 100 } });
  const whole = post(CHAT, ask);
  const streamed = await post(CHAT, { ...ask, stream: true });
  await until(() => engine.stats().running === 2, "both run");
  await close();
  assert.equal((await whole).status, 503);
  assert.match(await streamed.text(), /"code":"server_stopping"/);
  await noSessions(engine);
});
