/**
 * The C backend: renders a graph as C, compiles it with the system's compiler, loads it, and runs
 * it on a team of threads that lives as long as the backend.
 */
import { availableParallelism } from "node:os";
import { NutshellError } from "../../../error.ts";
import type { Backend, Program, Store } from "../../backend.ts";
import { checkGraph, type Graph, graphRoots, stateOp, topologicalOrder } from "../../graph.ts";
import { type Kernels, loadKernels } from "./memory.node.ts";
import { CProgram, type Team } from "./program.node.ts";
import { renderProgram } from "./render.ts";
import { CStore } from "./store.node.ts";
import { findToolchain, kernelLibrary, programLibrary, type Toolchain } from "./toolchain.node.ts";

export interface CBackendOptions {
  /** Default: one per core. */
  readonly threads?: number;
  /** Compiler flags that choose the CPU, in place of `-march=native`. */
  readonly machine?: readonly string[];
}

function createQueue(): Team["enqueue"] {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const result = last.then(job, job);
    last = result.catch(() => {}); // The caller sees the failure; the next run goes ahead.
    return result;
  };
}

function createTeam(kernels: Kernels, threads: number): Team {
  const pointer = kernels.teamCreate(threads);
  if (pointer === null)
    throw new NutshellError(
      "CONFIG",
      `c backend: the system must give ${threads} threads, got fewer. Use --threads 1.`,
    );
  return { kernels, pointer, threads, enqueue: createQueue() };
}

async function compileProgram(
  graph: Graph,
  store: Store,
  toolchain: Toolchain,
  team: Team,
): Promise<Program> {
  checkGraph(graph);
  const replaced = (graph.updates ?? []).map(({ state }) => state.node);
  for (const node of [...topologicalOrder(graphRoots(graph)), ...replaced])
    if (node.op === stateOp) store.define(node.attrs.name, node.outputs[0]);
  const rendered = renderProgram(graph);
  const library = await programLibrary(toolchain, rendered.source, team.kernels.path);
  return new CProgram(library, rendered, graph, store as CStore, team);
}

/** @throws TOOLCHAIN when there is no C compiler, or it refuses the kernels */
export async function createCBackend(options: CBackendOptions = {}): Promise<Backend> {
  const toolchain = await findToolchain(options.machine);
  const kernels = loadKernels(await kernelLibrary(toolchain));
  const threads = options.threads ?? availableParallelism();
  const team = createTeam(kernels, threads);
  return {
    name: "c",
    description: `C (${toolchain.compiler}), ${kernels.machine()}, ${threads} threads`,
    createStore: () => new CStore(kernels),
    compile: (graph, store) => compileProgram(graph, store, toolchain, team),
    dispose: () => void team.enqueue(async () => kernels.teamDestroy(team.pointer)),
  };
}
