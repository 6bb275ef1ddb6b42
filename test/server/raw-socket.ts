/** A plain TCP connection, for what no HTTP client would do. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawSocket {
  readonly socket: Socket;
  write(text: string | Uint8Array): void;
  /** All that came until now. */
  text(): string;
  /** Until the other side closes, or for so long. @returns all that came */
  end(ms?: number): Promise<string>;
}

export async function openRaw(port: number, allowHalfOpen = true): Promise<RawSocket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen });
  socket.on("error", () => {});
  // A test that fails leaves it open.
  socket.unref();
  await once(socket, "connect");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  const text = (): string => Buffer.concat(chunks).toString("utf8");
  return {
    socket,
    text,
    write: (data) => void socket.write(data),
    async end(ms = 3000) {
      if (!socket.destroyed && !socket.readableEnded) {
        const signal = AbortSignal.timeout(ms);
        const over = [once(socket, "end", { signal }), once(socket, "close", { signal })];
        await Promise.race(over.map((event) => event.catch(() => {})));
      }
      socket.destroy();
      return text();
    },
  };
}

/** @param headers besides those that every request has */
export function rawPost(path: string, body: string, headers: readonly string[] = []): string {
  const own = ["Host: localhost", "Content-Type: application/json"];
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return [`POST ${path} HTTP/1.1`, ...own, length, ...headers, "", body].join("\r\n");
}
