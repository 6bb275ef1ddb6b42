/**
 * A server from its first request to its last. It listens where it is told, answers what is no HTTP
 * at all, and stops in order: nothing new, then the running requests get their time, then none.
 */
import type { Server, ServerOptions } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { NutshellError } from "../error.ts";
import type { Engine } from "../llm/inference/engine.ts";
import { isLoopback } from "./access.ts";
import type { WriteLog } from "./access-log.ts";
import { createAdmission } from "./admission.ts";
import { createApp } from "./app.ts";
import { createMetrics } from "./metrics.ts";
import { createRateLimiter } from "./rate-limit.ts";
import type { Service } from "./service.ts";
import { defaultSettings, type ServerSettings } from "./settings.ts";
import { createStoredResponses } from "./stored-responses.ts";
import { Refusal, renderRefusal } from "./wire/refusal.ts";

export interface RunningServer {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Resolves when the last request has ended; those that take longer than they may are cut. */
  close(): Promise<void>;
}

/**
 * The engine stays the caller's.
 * @param log gets one JSON line a request
 * @throws CONFIG for an open address without keys; USAGE when the port is taken
 */
export async function startServer(
  engine: Engine,
  given: Partial<ServerSettings>,
  log: WriteLog,
): Promise<RunningServer> {
  const settings = { ...defaultSettings, ...given };
  refuseOpenDoor(settings);
  const closing = new AbortController();
  const stopping = new AbortController();
  const service = createService(engine, settings, log, closing.signal);
  const server = createNodeServer(service, stopping.signal);
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  return {
    url: `http://${host}:${port}`,
    port,
    close: () => close(server, settings.shutdownMs, closing, stopping),
  };
}

function refuseOpenDoor({ host, keys, insecure }: ServerSettings): void {
  if (keys !== undefined || insecure || isLoopback(host)) return;
  throw new NutshellError(
    "CONFIG",
    `serve: --host ${host} is open to other machines and needs --key or --keys-file, got none. ` +
      "Write --insecure to serve whoever asks.",
  );
}

function createService(
  engine: Engine,
  settings: ServerSettings,
  log: WriteLog,
  closing: AbortSignal,
): Service {
  const { maxConcurrent, maxQueue, requestsPerMinute, tokensPerMinute } = settings;
  const admission = createAdmission(maxConcurrent, maxQueue);
  return {
    engine,
    modelName: settings.modelName ?? engine.model.id,
    settings,
    admission,
    limiter: createRateLimiter({ requests: requestsPerMinute, tokens: tokensPerMinute }),
    metrics: createMetrics(engine, admission),
    stored: createStoredResponses(settings.maxStored, settings.maxStoredBytes),
    log,
    closing,
  };
}

function createNodeServer(service: Service, stopping: AbortSignal): Server {
  const { headersTimeoutMs, bodyTimeoutMs, maxConnections } = service.settings;
  const serverOptions: ServerOptions = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: bodyTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, headersTimeoutMs / 2),
    keepAliveTimeout: 5000,
    noDelay: true,
  };
  const app = createApp(service, stopping);
  const server = createAdaptorServer({
    fetch: app.fetch,
    createServer,
    serverOptions,
    overrideGlobalObjects: false,
  }) as Server;
  server.maxConnections = maxConnections;
  // Whoever half-closes after asking still gets what is answered at once.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("clientError", answerNoRequest);
  return server;
}

type ParserError = NodeJS.ErrnoException;

const parserRefusals: Readonly<Record<string, Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: new Refusal(408, "The request took too long to come in."),
  HPE_HEADER_OVERFLOW: new Refusal(431, "The headers are too long."),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new Refusal(413, "The chunk extensions are too long."),
};
const noHttp = new Refusal(400, "This is not a whole HTTP/1.1 request.");

/** What the parser gives up on never becomes a request: it is answered by hand. */
function answerNoRequest(error: ParserError, socket: Socket): void {
  const begun = (socket as { _httpMessage?: { headersSent: boolean } })._httpMessage?.headersSent;
  if (!socket.writable || begun === true || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const refusal = parserRefusals[error.code ?? ""] ?? noHttp;
  const body = JSON.stringify(renderRefusal(refusal));
  const head = [
    `HTTP/1.1 ${refusal.status} ${reasons[refusal.status] ?? "Bad Request"}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroySoon());
}

const reasons: Readonly<Record<number, string>> = {
  408: "Request Timeout",
  413: "Payload Too Large",
  431: "Request Header Fields Too Large",
};

function listen(server: Server, { host, port }: ServerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const message = `serve: must be able to listen on ${host} port ${port}, got ${cause.code}. `;
      const hint = "Try another --port; 0 takes any that is free.";
      reject(new NutshellError("USAGE", message + hint, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

async function close(
  server: Server,
  limitMs: number,
  closing: AbortController,
  stopping: AbortController,
): Promise<void> {
  closing.abort(stopped());
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const cut = setTimeout(() => stopping.abort(stopped()), limitMs);
  // What does not hear the signal is not waited for.
  const force = setTimeout(() => server.closeAllConnections(), limitMs + LAST_WORDS_MS);
  await closed;
  clearTimeout(cut);
  clearTimeout(force);
}

/** For cut requests to say so. */
const LAST_WORDS_MS = 1000;

function stopped(): Refusal {
  const headers = { "retry-after": "5", connection: "close" };
  const code = "server_stopping";
  return new Refusal(503, "The server is stopping.", { type: "server_error", code, headers });
}
