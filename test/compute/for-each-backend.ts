/**
 * One test, every backend. The C backend needs a C compiler; without one its tests are skipped
 * with the reason, never silently. Backends are made once per file and live as long as it runs.
 */
import { test } from "node:test";
import type { Backend } from "../../src/compute/backend.ts";
import { createReferenceBackend } from "../../src/compute/backends/reference.ts";
import { NutshellError } from "../../src/error.ts";

export interface COptions {
  readonly threads?: number;
  readonly isa?: string;
}

/** A backend, or why this machine has none. */
export type Available = { readonly backend: Backend } | { readonly skip: string };

const C_BACKEND = "../../src/compute/backends/c/backend.node.ts";

/** @returns the C backend, or the reason for its absence: no compiler, or one that fails */
export async function tryCBackend(options: COptions = {}): Promise<Available> {
  try {
    const { createCBackend } = await import(C_BACKEND);
    return { backend: await createCBackend(options) };
  } catch (error) {
    return { skip: reasonToSkip(error) };
  }
}

/** Only an absent backend or compiler excuses a test; any other failure is one. */
function reasonToSkip(error: unknown): string {
  if (error instanceof NutshellError && error.code === "TOOLCHAIN") return error.message;
  const missing = (error as { url?: string }).url;
  if (missing === new URL(C_BACKEND, import.meta.url).href) return "there is no C backend";
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
