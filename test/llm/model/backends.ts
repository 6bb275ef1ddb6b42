/** Backends that the model tests run on: the reference, and C where it is built and cc is there. */
import { existsSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { Backend } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";

const c = new URL("../../../src/compute/backends/c/backend.node.ts", import.meta.url);

export function forEachBackend(
  name: string,
  body: (backend: Backend, t: TestContext) => Promise<void>,
): void {
  test(`${name} (reference)`, async (t) => {
    const backend = createReferenceBackend();
    await body(backend, t);
    backend.dispose();
  });
  test(`${name} (c)`, async (t) => {
    if (!existsSync(c)) return t.skip("no C backend");
    const { createCBackend } = (await import(c.href)) as { createCBackend: () => Backend };
    const backend = await createCBackend();
    await body(backend, t);
    backend.dispose();
  });
}
