/**
 * The labelling page's server: this machine only, and only for who has the address. It answers on
 * 127.0.0.1, refuses requests that name another host (a page of the web that had its name point
 * here), asks for a random word in every path, and takes small JSON bodies only.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { NutshellError } from "../../error.ts";
import { contentPolicy, renderPage } from "./page.ts";
import type { RankSession } from "./session.ts";

export interface RankServer {
  /** The page's address, its secret word included. */
  readonly url: string;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const MOST_BYTES = 1 << 16;
const HOST = "127.0.0.1";

type Act = (session: RankSession, body: Readonly<Record<string, unknown>>) => void;

/** What a page may ask for by POST; the answer is the next question. */
const acts: Readonly<Record<string, Act>> = {
  rank: (session, { id, groups }) => session.rank(String(id), toGroups(groups)),
  "cannot-say": (session, { id }) => session.cannotSay(String(id)),
  skip: (session, { id }) => session.skip(String(id)),
  undo: (session) => void session.undo(),
  finish: () => {},
};

export interface RankEvents {
  /** After a question was answered, put off or taken back. */
  onChange(): void;
  /** The person says that this is all; the page has its answer by then. */
  onFinish(): void;
}

/**
 * @param port 0 = any that is free
 * @throws USAGE when the port is taken
 */
export async function serveRanking(
  session: RankSession,
  port: number,
  { onChange, onFinish }: RankEvents,
): Promise<RankServer> {
  const token = randomBytes(16).toString("hex");
  const server = createServer((request, response) => {
    const isLast = request.method === "POST" && request.url === `/${token}/finish`;
    void answer(request, server, session, token, onChange).then((reply) => {
      if (isLast && reply.status === 200) response.once("close", onFinish);
      write(response, reply);
    });
  });
  await listen(server, port);
  return {
    url: `http://${HOST}:${portOf(server)}/${token}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  server: Server,
  session: RankSession,
  token: string,
  onChange: () => void,
): Promise<Reply> {
  try {
    if (!isOwnHost(request, portOf(server))) return refusal(403, "another host was asked for");
    const [, word = "", name = "", ...more] = (request.url ?? "").split("/");
    if (!isToken(word, token) || more.length > 0) return refusal(404, "there is nothing here");
    if (request.method === "GET" && name === "") return pageReply();
    if (request.method === "GET" && name === "question") return questionReply(session);
    const act = Object.hasOwn(acts, name) ? acts[name] : undefined;
    if (request.method !== "POST" || act === undefined)
      return refusal(404, "there is nothing here");
    const body = await readBody(request);
    if (typeof body === "number") return refusal(body, "a small JSON object is needed");
    act(session, body);
    onChange();
    return questionReply(session);
  } catch (error) {
    const status = error instanceof NutshellError && error.code === "DATA" ? 400 : 500;
    return refusal(status, (error as Error).message);
  }
}

function isOwnHost({ headers }: IncomingMessage, port: number): boolean {
  const own = [`${HOST}:${port}`, `localhost:${port}`];
  const origin = headers.origin?.replace(/^http:\/\//, "");
  return own.includes(headers.host ?? "") && (origin === undefined || own.includes(origin));
}

function isToken(word: string, token: string): boolean {
  const [given, own] = [Buffer.from(word), Buffer.from(token)];
  return given.length === own.length && timingSafeEqual(given, own);
}

/** @returns the object, or the status that says what is wrong with it */
async function readBody(request: IncomingMessage): Promise<Record<string, unknown> | number> {
  if (!request.headers["content-type"]?.startsWith("application/json")) return 415;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) return 413;
    chunks.push(chunk);
  }
  const value = tryParse(Buffer.concat(chunks).toString("utf8"));
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : 400;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toGroups(value: unknown): number[][] {
  const isNumber = (place: unknown): boolean => Number.isInteger(place);
  const isGroup = (group: unknown): boolean => Array.isArray(group) && group.every(isNumber);
  if (Array.isArray(value) && value.every(isGroup)) return value as number[][];
  throw new NutshellError("DATA", "rank: groups must be lists of places, got something else.");
}

function pageReply(): Reply {
  const nonce = randomBytes(16).toString("base64");
  const headers = { "content-security-policy": contentPolicy(nonce) };
  return { status: 200, type: "text/html; charset=utf-8", body: renderPage(nonce), headers };
}

function questionReply(session: RankSession): Reply {
  const body = { question: session.current() ?? null, progress: session.progress() };
  return { status: 200, type: "application/json", body: JSON.stringify(body) };
}

function refusal(status: number, error: string): Reply {
  const headers = status === 413 ? { connection: "close" } : {};
  return { status, type: "application/json", body: JSON.stringify({ error }), headers };
}

function write(response: ServerResponse, { status, type, body, headers }: Reply): void {
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const message = `rank: --port must be free, got ${port} (${cause.code}). Leave --port out.`;
      reject(new NutshellError("USAGE", message, { cause }));
    });
    server.listen(port, HOST, resolve);
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
