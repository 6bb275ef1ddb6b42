/** What breaks the rules of HTTP, JSON or patience gets its error, and the server lives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { openRaw, rawPost } from "./raw-socket.ts";
import { noSessions, serveScript, type TestServer, until } from "./scripted-server.ts";

const CHAT = "/v1/chat/completions";
const ask = { messages: [{ role: "user", content: "hi" }] };

async function lives({ client }: TestServer): Promise<void> {
  const reply = await client.chat.completions.create({ model: "scripted", ...ask } as never);
  assert.equal(reply.choices[0]?.message.content, "hello");
}

test("bodies that are no good JSON", async (t) => {
  const server = await serveScript(t, {});
  const bodies: readonly (readonly [string | Uint8Array<ArrayBuffer>, RegExp])[] = [
    ["", /not valid JSON/],
    ["{", /not valid JSON/],
    ['{"a":NaN}', /not valid JSON/],
    ["\ufeff{}x", /not valid JSON/],
    ["[".repeat(1_000_000), /not valid JSON/],
    ["[".repeat(500_000) + "]".repeat(500_000), /nested at most 64/],
    [`${`{"a":`.repeat(65)}1${"}".repeat(65)}`, /nested at most 64/],
    ['{"messages":[{"role":"user","content":"\\ud83d"}]}', /surrogate pair/],
    ['{"\\udc00":1}', /surrogate pair/],
    ['{"__proto__":{"stream":true}}', /__proto__/],
    ['{"metadata":{"__proto__":1}}', /__proto__/],
    [new Uint8Array([0x22, 0xff, 0x22]), /not valid UTF-8/],
    [new Uint8Array([0x22, 0xf0, 0x9f, 0x22]), /not valid UTF-8/],
  ];
  for (const [body, message] of bodies) {
    const reply = await fetch(server.url + CHAT, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const { error } = (await reply.json()) as { error: { message: string; code: string } };
    assert.equal(reply.status, 400);
    assert.match(error.message, message);
    assert.equal(error.code, "invalid_json");
  }
  await lives(server);
});

test("bodies that are too long are refused unread, by header or by what came", async (t) => {
  const server = await serveScript(t, { settings: { maxBodyBytes: 1000 } });
  const announced = await openRaw(server.port);
  announced.write(rawPost(CHAT, "", []).replace("Content-Length: 0", "Content-Length: 99999999"));
  assert.match(await announced.end(), /^HTTP\/1.1 413 /);
  const chunked = await openRaw(server.port);
  const head = rawPost(CHAT, "").replace("Content-Length: 0", "Transfer-Encoding: chunked");
  chunked.write(head);
  for (let i = 0; i < 20; i++) chunked.write(`64\r\n${"x".repeat(100)}\r\n`);
  const text = await chunked.end();
  assert.match(text, /^HTTP\/1.1 413 /);
  assert.match(text, /"code":"too_large"/);
  await lives(server);
});

test("media types, methods and paths", async (t) => {
  const server = await serveScript(t, {});
  const body = JSON.stringify(ask);
  const status = async (path: string, init: RequestInit): Promise<Response> =>
    fetch(server.url + path, init);
  assert.equal((await status(CHAT, { method: "POST", body })).status, 415);
  const gzip = { "content-type": "application/json", "content-encoding": "gzip" };
  assert.equal((await status(CHAT, { method: "POST", body, headers: gzip })).status, 415);
  const wrong = await status(CHAT, { method: "GET" });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
  const several = await status("/v1/responses/x", { method: "PUT" });
  assert.deepEqual([several.status, several.headers.get("allow")], [405, "GET, DELETE"]);
  const none = await status("/v1/nothing/../../etc", { method: "GET" });
  assert.equal(none.status, 404);
  for (const reply of [wrong, none])
    assert.match(String(reply.headers.get("x-request-id")), /^req_/);
  const { error } = (await none.json()) as { error: { type: string } };
  assert.equal(error.type, "invalid_request_error");
});

test("what is no HTTP gets a 400, half a request too", async (t) => {
  const server = await serveScript(t, {});
  for (const words of ["\x16\x03\x01\x00 tls?\r\n\r\n", "GET\r\n\r\n", "POST / HTTP/9\r\n\r\n"]) {
    const raw = await openRaw(server.port);
    raw.write(words);
    assert.match(
      await raw.end(),
      /^HTTP\/1.1 400 Bad Request[\s\S]*"type":"invalid_request_error"/,
    );
  }
  const long = await openRaw(server.port);
  long.write(`GET / HTTP/1.1\r\nHost: localhost\r\nx: ${"y".repeat(20_000)}\r\n\r\n`);
  assert.match(await long.end(), /^HTTP\/1.1 431 /);
  for (const cut of [40, 200]) {
    const half = await openRaw(server.port);
    half.write(rawPost(CHAT, JSON.stringify({ ...ask, user: "u".repeat(300) })).slice(0, cut));
    half.socket.end();
    assert.match(await half.end(), /^HTTP\/1.1 400 /, `cut at ${cut}`);
  }
  await lives(server);
});

test("who half-closes after asking gets what is quick, and frees what is not", async (t) => {
  const script = () => [...Array(1000).fill({ waitMs: 5 }), "never"];
  const server = await serveScript(t, { script });
  const quick = await openRaw(server.port);
  quick.write("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  quick.socket.end();
  assert.match(await quick.end(), /^HTTP\/1.1 200 OK[\s\S]*"scripted"/);
  const slow = await openRaw(server.port);
  slow.write(rawPost(CHAT, JSON.stringify({ ...ask, stream: true })));
  await until(() => server.engine.stats().running === 1, "it runs");
  slow.socket.end();
  await noSessions(server.engine);
  await slow.end();
});

test("slow senders are cut off with a 408", async (t) => {
  const settings = { headersTimeoutMs: 150, bodyTimeoutMs: 300 };
  const server = await serveScript(t, { settings });
  const body = rawPost(CHAT, JSON.stringify({ ...ask, user: "u".repeat(300) }));
  const inHeaders = body.indexOf("/json") + 5;
  for (const start of [inHeaders, body.length - 100]) {
    const raw = await openRaw(server.port);
    const drip = setInterval(() => raw.write(" "), 50);
    raw.write(body.slice(0, start));
    const text = await raw.end();
    clearInterval(drip);
    assert.match(text, /^HTTP\/1.1 408 Request Timeout/, `began with ${start} bytes`);
  }
  const gone = await openRaw(server.port);
  gone.write(body.slice(0, -50));
  await wait(50);
  gone.socket.destroy();
  await until(() => server.log.length === 2, "the two that began a body are logged");
  assert.deepEqual(
    server.log.map(({ status, failure }) => [status, failure]),
    [
      [499, undefined],
      [499, undefined],
    ],
  );
  await lives(server);
});

test("a reader that takes nothing is cut off, and holds up nobody else", async (t) => {
  const text = "x".repeat(20_000);
  const script = ({ messages }: { messages: readonly { content: string }[] }) => {
    if (messages[0]?.content !== "much") return "hello";
    return Array<string>(2000).fill(text);
  };
  const engine = { model: { contextLen: 1e9 } };
  const server = await serveScript(t, { script, engine, settings: { stallTimeoutMs: 400 } });
  const raw = await openRaw(server.port);
  raw.socket.pause();
  const much = { messages: [{ role: "user", content: "much" }], stream: true };
  raw.write(rawPost(CHAT, JSON.stringify(much)));
  await until(() => server.engine.stats().running === 1, "it runs");
  await lives(server);
  await noSessions(server.engine);
  const { completionTokens } = server.engine.stats();
  assert.ok(completionTokens < 30e6, `no more than buffers hold is made, got ${completionTokens}`);
  await until(() => server.log.length === 2, "two lines of log");
  assert.equal(server.log[1]?.cut, "stalled");
  raw.socket.destroy();
});

test("a whole reply that nobody takes is cut off too", async (t) => {
  const script = () => ["x".repeat(30_000_000)];
  const engine = { model: { contextLen: 1e9 } };
  const settings = { stallTimeoutMs: 200, requestTimeoutMs: 800 };
  const server = await serveScript(t, { script, engine, settings });
  const raw = await openRaw(server.port);
  raw.socket.pause();
  raw.write(rawPost(CHAT, JSON.stringify(ask)));
  await until(() => server.log.length === 1, "a line of log");
  assert.equal(server.log[0]?.cut, "stalled");
  raw.socket.destroy();
});

test("time for a whole request is bounded, with a status or an event", async (t) => {
  const script = () => ["a", ...Array(1000).fill({ waitMs: 5 })];
  const server = await serveScript(t, { script, settings: { requestTimeoutMs: 150 } });
  const whole = await server.post(CHAT, ask);
  assert.equal(whole.status, 503);
  assert.match(await whole.text(), /"code":"timeout"/);
  const streamed = await server.post(CHAT, { ...ask, stream: true });
  assert.equal(streamed.status, 200);
  assert.match(await streamed.text(), /"content":"a"[\s\S]*"code":"timeout"/);
  await noSessions(server.engine);
});
