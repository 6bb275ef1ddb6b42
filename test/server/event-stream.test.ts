/** Server-sent events: any reader's pieces give the same events, and nobody is kept waiting. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { openEventStream, renderEvent } from "../../src/server/event-stream.ts";
import { serveScript } from "./scripted-server.ts";

const settings = { keepAliveMs: 1000, stallMs: 1000 };
const renderError = (error: unknown): string => renderEvent({ error: String(error) });

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

test("a reader may get any pieces, of characters too, and the client reads the same", async (t) => {
  const { client } = await serveScript(t, { script: () => ["añ", "🌍\n\n", "data: x\r\r"] });
  for (const size of [1, 2, 3, 7]) {
    const slicing: typeof fetch = async (url, init) => {
      const reply = await fetch(url, init);
      return new Response(reply.body?.pipeThrough(slicer(size)), reply);
    };
    const asked = { model: "scripted", messages: [{ role: "user" as const, content: "hi" }] };
    const stream = client.withOptions({ fetch: slicing }).chat.completions.stream(asked);
    const { choices } = await stream.finalChatCompletion();
    assert.equal(choices[0]?.message.content, "añ🌍\n\ndata: x\r\r");
  }
});

function slicer(size: number): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let i = 0; i < chunk.length; i += size) controller.enqueue(chunk.slice(i, i + size));
    },
  });
}

test("the next event is made when the one before was taken", async () => {
  let made = 0;
  async function* count(): AsyncGenerator<string, void> {
    while (made < 5) yield renderEvent(String(made++));
  }
  const source = { frames: count(), renderError, abandon: () => {} };
  const reader = (await openEventStream(source, settings)).getReader();
  await wait(10);
  assert.equal(made, 1);
  await reader.read();
  await reader.read();
  await wait(10);
  assert.equal(made, 2);
  await reader.cancel();
});

test("an error before the first event is thrown, a later one told", async () => {
  async function* fail(first: string[]): AsyncGenerator<string, void> {
    yield* first;
    throw new Error("no");
  }
  const open = (first: string[]) =>
    openEventStream({ frames: fail(first), renderError, abandon: () => {} }, settings);
  await assert.rejects(open([]), /no/);
  assert.equal(
    await readAll(await open(["data: a\n\n"])),
    'data: a\n\ndata: {"error":"Error: no"}\n\n',
  );
});

test("silence is filled with comments", async () => {
  async function* late(): AsyncGenerator<string, void> {
    await wait(100);
    yield "data: a\n\n";
  }
  const source = { frames: late(), renderError, abandon: () => {} };
  const text = await readAll(await openEventStream(source, { ...settings, keepAliveMs: 20 }));
  assert.match(text, /^(: keep-alive\n\n){2,4}data: a\n\n$/);
});

test("a reader that leaves or stalls ends the source, its last words unread", async () => {
  for (const reason of ["closed", "stalled"] as const) {
    const said: string[] = [];
    async function* endless(): AsyncGenerator<string, void> {
      try {
        while (true) yield "data: a\n\n";
      } finally {
        said.push("ended");
      }
    }
    const abandon = (why: string): void => void said.push(why);
    const source = { frames: endless(), renderError, abandon };
    const reader = (await openEventStream(source, { ...settings, stallMs: 30 })).getReader();
    await reader.read();
    if (reason === "closed") await reader.cancel();
    else await wait(60);
    assert.deepEqual(said, [reason, "ended"]);
    await reader.cancel();
  }
});
