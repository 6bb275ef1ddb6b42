/** The machine that a model was grown on, for whoever compares two report cards. */
import { cpus, machine, release, totalmem, type } from "node:os";
import type { Backend } from "../../compute/backend.ts";
import { measurePeakGflops } from "../run/peak.ts";
import type { Machine } from "./record.ts";

const GIB = 2 ** 30;

/** Takes about a second: the kernels' peak is measured. */
export async function describeMachine(backend: Backend): Promise<Machine> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown CPU",
    cores: processors.length,
    memoryGb: Number((memoryBytes() / GIB).toFixed(1)),
    system: `${type()} ${release()} ${machine()}`,
    node: process.version,
    backend: backend.description,
    peakGflops: Number((await measurePeakGflops(backend)).toPrecision(4)),
  };
}

/** A container may have less than its machine; without a limit the system names a huge number. */
function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
