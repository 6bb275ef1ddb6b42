/**
 * Requests to the server that the page came from, and nowhere else. A stream of server-sent events
 * is cut at blank lines, wherever the network cut it.
 */
import type { WireChunk, WireError } from "./wire.ts";

class RequestError extends Error {}

/** @throws RequestError with the server's own words */
export async function getJson<T>(path: string, key: string): Promise<T> {
  const response = await fetch(path, { headers: headersFor(key) });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

/** @throws RequestError; AbortError when `signal` ends it */
export async function* streamChat(
  body: object,
  key: string,
  signal: AbortSignal,
): AsyncGenerator<WireChunk, void> {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { ...headersFor(key), "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok || response.body === null) throw await refusal(response);
  for await (const data of readEvents(response.body)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data) as WireChunk & WireError;
    if (chunk.error !== undefined) throw new RequestError(chunk.error.message ?? "unknown error");
    yield chunk;
  }
}

const headersFor = (key: string): Record<string, string> =>
  key === "" ? {} : { authorization: `Bearer ${key}` };

async function refusal(response: Response): Promise<RequestError> {
  const body = (await response.json().catch(() => ({}))) as WireError;
  const said = body.error?.message ?? response.statusText;
  return new RequestError(`${response.status}: ${said}`);
}

/** @returns the data of each event; comments, which keep a connection alive, have none */
async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const events = rest.split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      const lines = event.split("\n").filter((line) => line.startsWith("data:"));
      if (lines.length > 0) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
    }
  }
}
