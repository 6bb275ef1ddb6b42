/**
 * Routes and the door before them, in this order: who asks, from where, how often; then the body;
 * then the endpoint. Whatever is thrown on the way becomes OpenAI's error object.
 */
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { allowsOrigin, checkKey, checkOrigin } from "./access.ts";
import { logFailure, logRequest } from "./access-log.ts";
import type { Answer, Endpoint } from "./endpoint.ts";
import { chat } from "./endpoints/chat.ts";
import { chatPage } from "./endpoints/chat-page.ts";
import { completions } from "./endpoints/completions.ts";
import { embeddings } from "./endpoints/embeddings.ts";
import { live, metrics, ready } from "./endpoints/health.ts";
import { model, models } from "./endpoints/models.ts";
import { createResponse, deleteResponse, readResponse } from "./endpoints/responses.ts";
import { detokenizeIds, tokenizeText } from "./endpoints/tokens.ts";
import { openEventStream } from "./event-stream.ts";
import { readBody } from "./read-body.ts";
import { CLIENT_GONE, openScope, type RequestScope } from "./request-scope.ts";
import type { Service } from "./service.ts";
import { Refusal, renderRefusal, toRefusal } from "./wire/refusal.ts";

const endpoints: readonly Endpoint[] = [
  ...[models, model, chat, completions, createResponse, readResponse, deleteResponse],
  ...[embeddings, tokenizeText, detokenizeIds, ready, live, metrics, chatPage],
];

interface Environment {
  Bindings: HttpBindings;
  Variables: { readonly scope: RequestScope };
}

type HonoContext = Context<Environment>;

/** @param stopping aborted when running requests have to end too */
export function createApp(service: Service, stopping: AbortSignal): Hono<Environment> {
  const app = new Hono<Environment>();
  app.use(async (context, next) => {
    const scope = beginScope(context, service, stopping);
    context.set("scope", scope);
    context.header("x-request-id", scope.id);
    await next();
    addCorsHeaders(context, service);
  });
  for (const endpoint of endpoints) {
    for (const path of endpoint.paths)
      app.on(endpoint.method, path, (context) => answer(context, endpoint, path, service));
  }
  for (const path of new Set(endpoints.flatMap(({ paths }) => paths)))
    app.all(path, (context) => answerOtherMethod(context, path, service));
  app.notFound((context) => sendRefusal(context, notFound()));
  app.onError((error, context) => sendError(context, service, error));
  return app;
}

function beginScope({ env }: HonoContext, service: Service, stopping: AbortSignal): RequestScope {
  const { incoming, outgoing } = env;
  const { requestTimeoutMs: timeoutMs, stallTimeoutMs: stallMs } = service.settings;
  const timing = { timeoutMs, stallMs, stopping };
  return openScope(incoming, outgoing, timing, (scope) => {
    const status = outgoing.headersSent ? outgoing.statusCode : CLIENT_GONE;
    service.metrics.countRequest(scope, status);
    logRequest(service.log, scope, incoming.method ?? "", status);
  });
}

async function answer(
  context: HonoContext,
  endpoint: Endpoint,
  route: string,
  service: Service,
): Promise<Response> {
  const scope = context.get("scope");
  const { headers } = context.env.incoming;
  scope.route = route.replace(/\{.*\}/, "");
  checkOrigin(headers, service.settings);
  if (endpoint.open !== true) scope.client = checkKey(headers, service.settings);
  if (endpoint.limited === true) admit(context, service, scope);
  const body =
    endpoint.method === "POST"
      ? await readBody(context.env.incoming, service.settings.maxBodyBytes)
      : undefined;
  const made = await endpoint.answer({ service, scope, body, path: context.req.param() });
  return send(context, made, service);
}

/** @throws Refusal 429, 503 */
function admit(
  context: HonoContext,
  { limiter, closing }: Service,
  { client }: RequestScope,
): void {
  if (closing.aborted) throw closing.reason;
  for (const [name, value] of Object.entries(limiter.take(client))) context.header(name, value);
}

async function send(context: HonoContext, made: Answer, service: Service): Promise<Response> {
  if (made.kind === "json") return reply(context, made.body, made.status ?? 200);
  if (made.kind === "text")
    return context.body(made.body, 200, { "content-type": made.type, ...made.headers });
  const scope = context.get("scope");
  const { outgoing } = context.env;
  const { keepAliveMs, stallTimeoutMs } = service.settings;
  const stream = await openEventStream(
    {
      frames: made.frames,
      renderError: (error) => {
        if (toRefusal(error).status >= 500) logFailure(service.log, scope, error);
        return made.renderError(error);
      },
      abandon: (reason) => {
        scope.cut ??= reason;
        outgoing.destroy();
      },
    },
    { keepAliveMs, stallMs: stallTimeoutMs },
  );
  const headers = { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" };
  return context.body(stream, 200, { ...headers, "cache-control": "no-store" });
}

function sendError(context: HonoContext, service: Service, error: unknown): Response {
  const scope = context.get("scope");
  const refusal = toRefusal(scope.signal.aborted ? scope.signal.reason : error);
  if (refusal.status === CLIENT_GONE) context.env.outgoing.destroy();
  else if (refusal.status >= 500 && !(error instanceof Refusal))
    logFailure(service.log, scope, error);
  return sendRefusal(context, refusal);
}

function sendRefusal(context: HonoContext, refusal: Refusal): Response {
  for (const [name, value] of Object.entries(refusal.headers)) context.header(name, value);
  return reply(context, renderRefusal(refusal), refusal.status);
}

function reply(context: HonoContext, body: object, status: number): Response {
  context.header("cache-control", "no-store");
  context.header("x-content-type-options", "nosniff");
  return context.json(body, status as 200);
}

function answerOtherMethod(context: HonoContext, path: string, service: Service): Response {
  const scope = context.get("scope");
  scope.route = path.replace(/\{.*\}/, "");
  checkOrigin(context.env.incoming.headers, service.settings);
  const own = endpoints.filter(({ paths }) => paths.includes(path)).map(({ method }) => method);
  const allow = [...new Set(own)].join(", ");
  if (context.req.method === "OPTIONS") return preflight(context, allow, service);
  const message = `Here only ${allow} is served, got ${context.req.method}.`;
  const headers = { allow };
  return sendRefusal(context, new Refusal(405, message, { code: "method_not_allowed", headers }));
}

/** What a browser asks before it lets a page of another origin ask. */
function preflight(context: HonoContext, allow: string, { settings }: Service): Response {
  context.header("allow", allow);
  const origin = context.req.header("origin");
  if (origin === undefined || !allowsOrigin(origin, settings)) return context.body(null, 204);
  context.header("access-control-allow-methods", allow);
  // Clients add names of their own (x-stainless-…): what a page may ask for is not theirs to widen.
  const asked = context.req.header("access-control-request-headers");
  context.header("access-control-allow-headers", asked ?? "authorization, content-type");
  context.header("access-control-max-age", "600");
  return context.body(null, 204);
}

function addCorsHeaders(context: HonoContext, { settings }: Service): void {
  const origin = context.req.header("origin");
  if (origin === undefined || !allowsOrigin(origin, settings)) return;
  context.res.headers.set("access-control-allow-origin", origin);
  context.res.headers.append("vary", "origin");
  context.res.headers.set("access-control-expose-headers", "retry-after, x-request-id");
}

function notFound(): Refusal {
  return new Refusal(404, "There is nothing here; docs/server.md lists what is.", {
    code: "not_found",
  });
}
