/**
 * A daemon's door for shells of the same user: HTTP with JSON on a Unix socket that only its owner
 * may open. It outlives any shell; a shell that goes away ends its wait, never the process.
 */
import { chmod, mkdir, rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { NutshellError } from "../../error.ts";
import type { System } from "../../os/system.ts";
import { type Method, methods } from "./methods.ts";
import type { MethodName } from "./protocol.ts";

const MAX_BODY_BYTES = 8 << 20;

interface Row {
  readonly validate: ValidateFunction;
  readonly run: Method<MethodName>["run"];
}

export interface ControlServer {
  /** Takes nothing new; waits that are open end. */
  close(): Promise<void>;
}

/**
 * @param shutdown what the method of this name does
 * @throws USAGE when another daemon listens there
 */
export async function startControl(
  system: System,
  socketPath: string,
  shutdown: () => void,
): Promise<ControlServer> {
  await claimSocket(socketPath);
  const rows = compileRows(shutdown);
  const closing = new AbortController();
  const server = createServer((request, response) => {
    void respond(rows, system, request, response, closing.signal);
  });
  await listen(server, socketPath);
  await chmod(socketPath, 0o600);
  return {
    async close() {
      closing.abort();
      server.closeIdleConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function compileRows(shutdown: () => void): ReadonlyMap<string, Row> {
  const ajv = new Ajv({ strict: true, allErrors: false });
  const all = Object.entries(methods as unknown as Record<string, Method<MethodName>>);
  const rows = all.map(([name, { properties, required = [], run }]): [string, Row] => {
    const schema = { type: "object", properties, required, additionalProperties: false };
    return [name, { validate: ajv.compile(schema), run }];
  });
  const validate = ajv.compile({ type: "object", additionalProperties: false });
  const stop: Row["run"] = async () => {
    shutdown();
    return null;
  };
  return new Map([...rows, ["shutdown", { validate, run: stop }]]);
}

/** A socket that nobody answers on is a dead daemon's and goes. */
async function claimSocket(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await checkFolder(dirname(path));
  await checkFree(path);
  await rm(path, { force: true });
}

/**
 * To be asked before anything of a system is begun: a second one of the same home would take the
 * first one's processes over in the middle of their calls.
 * @throws NutshellError USAGE when a daemon listens there
 */
export async function checkFree(path: string): Promise<void> {
  if (!(await answers(path))) return;
  const text = `boot: one daemon per home, got one that listens at ${path}. Use it, or end it.`;
  throw new NutshellError("USAGE", text);
}

/** Whoever can rename in it can put a socket of his own there, and be asked what we are asked. */
async function checkFolder(folder: string): Promise<void> {
  const { uid, mode } = await stat(folder);
  const own = process.getuid === undefined || uid === process.getuid();
  if (own && (mode & 0o002) === 0) return;
  const got = own ? `mode ${(mode & 0o777).toString(8)}` : `one of user ${uid}`;
  throw new NutshellError(
    "USAGE",
    `boot: only its owner may write to the folder of the socket, got ${got}: ${folder}. ` +
      "Choose another --home, or close it: chmod o-w.",
  );
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

async function respond(
  rows: ReadonlyMap<string, Row>,
  system: System,
  request: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    const row = findRow(rows, request);
    const params = checkParams(request.url ?? "", row.validate, await readJson(request));
    const result = await row.run(system, params as never, AbortSignal.any([gone.signal, closing]));
    send(response, 200, { result: result ?? null });
  } catch (error) {
    send(response, 400, { error: toWire(error) });
  }
}

function findRow(rows: ReadonlyMap<string, Row>, { method, url }: IncomingMessage): Row {
  const row = method === "POST" ? rows.get((url ?? "").slice(1)) : undefined;
  if (row !== undefined) return row;
  throw new NutshellError("USAGE", `control: no such method, got ${method} ${url?.slice(0, 80)}.`);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new NutshellError("USAGE", "control: 8 MiB at most.");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (cause) {
    throw new NutshellError("USAGE", "control: a body must be JSON.", { cause });
  }
}

function checkParams(url: string, validate: ValidateFunction, params: unknown): unknown {
  if (validate(params)) return params;
  const [first] = validate.errors ?? [];
  const where = `${url.slice(1)}${first?.instancePath ?? ""}`;
  throw new NutshellError("USAGE", `${where}: ${first?.message ?? "is not valid"}.`);
}

function toWire(error: unknown): { code: string; message: string } {
  if (error instanceof NutshellError) return { code: error.code, message: error.message };
  return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  // Before the head is out: what no JSON can say, or no text can hold, is still to be told.
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(text);
}
