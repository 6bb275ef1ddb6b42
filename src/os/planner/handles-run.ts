/** What a planner of mode "handles" was shown, and how a value becomes a handle or a counted word. */
import type { Label } from "../security/label.ts";
import type { Labelled } from "../security/labelled.ts";
import type { AgentScene } from "./agent-scene.ts";
import type { Handles } from "./handle-table.ts";

/** What the planner may know: shown to it, and what it knows by then. */
export interface Shown {
  readonly text: string;
  readonly label: Label;
}

/** One planner's run: `seen` is the label of all that it was shown. */
export interface HandlesRun {
  readonly scene: AgentScene;
  /** The person may be asked to vouch for a text. */
  readonly endorses: boolean;
  readonly handles: Handles;
  seen: Label;
  /** Numbers what is told, so that its bits are counted once. */
  told: number;
}

/** @returns the handle in place of the value; it tells nothing */
export function keep(run: HandlesRun, value: Labelled): Shown {
  return { text: run.handles.add(value), label: run.seen };
}

/** The label of a word that tells at most so many bits of something. */
export function told(run: HandlesRun, about: Label, bits: number): Label {
  run.told++;
  const question = `handles:${run.scene.sys.pid}/${run.told}`;
  return { ...about, influence: new Map([[question, bits]]) };
}
