/**
 * The kernels of CPUs older than this one: the same ops against the reference, compiled for each
 * set of instructions that this CPU can run. NEON runs where the tests run on such a machine.
 */
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createReferenceBackend } from "../../src/compute/backends/reference.ts";
import { tryCBackend } from "./for-each-backend.ts";
import { compareOp, opGraph, runOnce } from "./op-cases/op-graph.ts";

interface Machine {
  readonly name: string;
  /** Compiler flag, and the words of /proc/cpuinfo that a CPU must have to run the result. */
  readonly march: string;
  readonly needs: readonly string[];
}

const machines: readonly Machine[] = [
  { name: "portable C", march: "x86-64", needs: ["sse2"] },
  { name: "AVX2 and FMA", march: "x86-64-v3", needs: ["avx2", "fma"] },
  { name: "AVX-512F", march: "skylake-avx512", needs: ["avx512f", "avx512dq", "avx512vl"] },
];

/** Ops whose kernels are written for vector registers. */
const vectorOps = ["matmul", "attentionGrad", "tanh", "rope", "sampleRows", "quantLinear"];

function cpuFlags(): ReadonlySet<string> {
  try {
    const [, flags = ""] = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8")) ?? [];
    return new Set(flags.trim().split(" "));
  } catch {
    return new Set(); // Not Linux: the instructions are unknown, and every machine is skipped.
  }
}

const flags = cpuFlags();

for (const { name, march, needs } of machines) {
  const lacks = needs.filter((flag) => !flags.has(flag));
  describe(name, () => {
    const skip = lacks.length > 0 && `this CPU is not known to have ${lacks.join(", ")}`;
    const made = skip ? undefined : tryCBackend({ machine: [`-march=${march}`] });
    for (const op of vectorOps)
      test(op, { skip }, async (t) => {
        const available = await made;
        if (available === undefined || "skip" in available) return t.skip(available?.skip);
        const graph = opGraph(op);
        const got = await runOnce(available.backend, graph);
        compareOp(op, graph, got, await runOnce(createReferenceBackend(), graph));
      });
  });
}
