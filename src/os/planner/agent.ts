/**
 * Program "agent": a goal in plain language. The mode decides what its planner may see: everything
 * (`open`), names and types (`handles`), only the goal (`sealed`), or what its person vouches for
 * (`endorsed`). All effects are system calls; it is a function of their outcomes.
 */
import type { PlannerMode } from "../apps/manifest.ts";
import type { Program } from "../kernel/process.ts";
import type { Syscall } from "../kernel/syscall.ts";
import type { Labelled } from "../security/labelled.ts";
import { fromAgentInput } from "./agent-input.ts";
import { type AgentScene, setScene } from "./agent-scene.ts";
import { runHandles } from "./handles.ts";
import { runOpen } from "./open.ts";
import { runSealed } from "./sealed.ts";

const modes: Readonly<Record<PlannerMode, (scene: AgentScene) => Promise<Labelled>>> = {
  open: runOpen,
  handles: (scene) => runHandles(scene, false),
  endorsed: (scene) => runHandles(scene, true),
  sealed: runSealed,
};

/** @param rows of the whole table, for what they say of themselves to a model */
export function createAgentProgram(rows: readonly Syscall[]): Program {
  return async (sys) => {
    const input = fromAgentInput(sys.input);
    return modes[input.mode](await setScene(sys, input, rows));
  };
}
