/**
 * Who may ask. With keys: who has one. Without: pages of the web must not reach a server that
 * listens on this machine, so a request has to name the machine as itself (a name that was made to
 * point here does not) and, from a browser, come from this very server or an allowed origin.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { ServerSettings } from "./settings.ts";
import { Refusal } from "./wire/refusal.ts";

const loopbackNames = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** Of an address to listen on. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The name of whoever asks where no key is asked for. */
export const ANYONE = "anyone";

/**
 * @returns a name for logs and limits
 * @throws Refusal 401 without a fitting key
 */
export function checkKey({ authorization }: IncomingHttpHeaders, { keys }: ServerSettings): string {
  if (keys === undefined) return ANYONE;
  const [, key] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
  const name = key === undefined ? undefined : keys.find(key);
  if (name !== undefined) return name;
  const message =
    key === undefined
      ? "An API key is needed: send the header Authorization: Bearer KEY."
      : "The API key is not one of this server's.";
  const headers = { "www-authenticate": "Bearer" };
  throw new Refusal(401, message, {
    type: "authentication_error",
    code: "invalid_api_key",
    headers,
  });
}

/** @throws Refusal 403 */
export function checkOrigin(headers: IncomingHttpHeaders, settings: ServerSettings): void {
  const { host = "", origin } = headers;
  if (settings.keys === undefined && isLoopback(settings.host) && !loopbackNames.test(host))
    throw forbidden("The Host header must name this machine: localhost or 127.0.0.1.", "bad_host");
  if (origin === undefined || settings.keys !== undefined) return;
  if (origin !== `http://${host}` && !allowsOrigin(origin, settings))
    throw forbidden("Pages of this origin may not ask here; see --cors.", "bad_origin");
}

export function allowsOrigin(origin: string, { cors }: ServerSettings): boolean {
  return cors.includes("*") || cors.includes(origin);
}

function forbidden(message: string, code: string): Refusal {
  return new Refusal(403, message, { type: "permission_error", code });
}
