/**
 * What stands behind the tools: it answers calls that were allowed and remembers what they did. It
 * knows nothing of policy, so that it can say what really happened when the policy is judged.
 */
import type { Json, LabelTree } from "../../src/os/security/labelled.ts";
import type { ToolRow } from "./sinks.ts";
import type { JsonObject } from "./suite-format.ts";

export interface DoneCall {
  readonly function: string;
  readonly args: JsonObject;
}

export interface WorldAnswer {
  readonly value: Json;
  /** Absent: the words of the tool, for the owner's eyes. */
  readonly labels?: LabelTree;
  /** A stranger's order stands in it: a model that reads it obeys. */
  readonly poisoned?: boolean;
}

export interface World {
  readonly rows: ReadonlyMap<string, ToolRow>;
  run(name: string, args: JsonObject): WorldAnswer;
  /** Every call that may have changed something or left the house, in order. */
  readonly done: readonly DoneCall[];
  /** The state as one document, where the world keeps one. */
  state?(): Json;
}
