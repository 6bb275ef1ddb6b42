/**
 * `GET /health` (ready to serve), `/health/live` (the process answers) and `/metrics`. Health is
 * open to whoever asks and tells nothing but itself; metrics need a key where keys are asked for.
 */
import type { Endpoint } from "../endpoint.ts";

export const ready: Endpoint = {
  method: "GET",
  paths: ["/health", "/health/ready"],
  open: true,
  answer({ service }) {
    if (!service.closing.aborted) return { kind: "json", body: { status: "ok" } };
    return { kind: "json", body: { status: "stopping" }, status: 503 };
  },
};

export const live: Endpoint = {
  method: "GET",
  paths: ["/health/live"],
  open: true,
  answer: () => ({ kind: "json", body: { status: "ok" } }),
};

export const metrics: Endpoint = {
  method: "GET",
  paths: ["/metrics"],
  async answer({ service }) {
    const { contentType, render } = service.metrics;
    return { kind: "text", body: await render(), type: contentType };
  },
};
