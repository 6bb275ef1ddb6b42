/** A server on a port of its own that answers each request by a rule and keeps what it was sent. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export interface Sent {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked into by tests
  readonly body: any;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON body, or events of a stream. */
  readonly json?: unknown;
  readonly events?: readonly object[];
  /** Ends the connection without an end of the stream, or leaves it open. */
  readonly then?: "cut" | "hang";
  /** `event:` lines too. */
  readonly named?: true;
}

export async function serveLoopback(
  t: TestContext,
  rule: (sent: Sent, nth: number) => Answer,
): Promise<{ readonly url: string; readonly sent: Sent[] }> {
  const sent: Sent[] = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const body = JSON.parse(Buffer.concat(chunks).toString() || "null");
    const one = { path: request.url ?? "", headers: request.headers, body };
    sent.push(one);
    const { status = 200, headers, json, events = [], then, named } = rule(one, sent.length - 1);
    const type = json === undefined ? "text/event-stream" : "application/json";
    response.writeHead(status, { "content-type": type, ...headers });
    if (json !== undefined) return response.end(JSON.stringify(json));
    for (const event of events) {
      if (named) response.write(`event: ${(event as { type: string }).type}\n`);
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
    if (then === undefined) return response.end();
    if (then === "cut") setTimeout(() => response.destroy(), 20);
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}
