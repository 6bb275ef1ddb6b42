/**
 * One test, every backend. The C backend needs a C compiler; without one its tests are skipped
 * with the reason, never silently. Backends are made once per file and live as long as it runs.
 */
import { test } from "node:test";
import type { Backend } from "../../src/compute/backend.ts";
import { type CBackendOptions, createCBackend } from "../../src/compute/backends/c/backend.node.ts";
import { createReferenceBackend } from "../../src/compute/backends/reference.ts";
import { NutshellError } from "../../src/error.ts";

/** A backend, or why this machine has none. */
export type Available = { readonly backend: Backend } | { readonly skip: string };

/** @returns the C backend, or the reason for its absence */
export async function tryCBackend(options: CBackendOptions = {}): Promise<Available> {
  try {
    return { backend: await createCBackend(options) };
  } catch (error) {
    return { skip: reasonToSkip(error) };
  }
}

/** Only the absence of a compiler excuses a test; one that refuses our kernels is a failure. */
function reasonToSkip(error: unknown): string {
  const absent = error instanceof NutshellError && error.code === "TOOLCHAIN";
  if (absent && error.message.includes("a C compiler must answer")) return error.message;
  throw error;
}

const c = tryCBackend();

/** Registers `name` once per backend. */
export function forEachBackend(name: string, run: (backend: Backend) => Promise<void>): void {
  test(`${name} [reference]`, () => run(createReferenceBackend()));
  testC(name, run);
}

/** Registers `name` for the C backend alone. */
export function testC(name: string, run: (backend: Backend) => Promise<void>): void {
  test(`${name} [c]`, async (t) => {
    const available = await c;
    if ("skip" in available) t.skip(available.skip);
    else await run(available.backend);
  });
}
