/**
 * The body of a request as JSON, never more of it than is allowed. What is too long is refused as
 * soon as that is known, by its length header or by what has come in.
 */
import type { IncomingMessage } from "node:http";
import { parseJson } from "./wire/parse-json.ts";
import { Refusal } from "./wire/refusal.ts";

/** @throws Refusal 400, 413, 415 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = request.headers;
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new Refusal(415, "The header Content-Type must be application/json.", {
      code: "unsupported_media_type",
    });
  if (encoding !== "identity")
    throw new Refusal(415, "The body must come without Content-Encoding.", {
      code: "unsupported_media_type",
    });
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return parseJson(await readBytes(request, maxBytes));
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop must not destroy the socket: the refusal still has to go out.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, `The body must have at most ${maxBytes} bytes.`, { code: "too_large" });
}
