/**
 * A task makes problems without end and grades what an assistant answered. One record serves three
 * stages: SFT trains on `prompt` + `solution`, RL rewards replies to `prompt` by `grade`, and
 * evals count the same grades on the held-out side.
 *
 * Invariant: `problem` is a function of (index, split, seed), and no problem is in both splits.
 */
import type { Message } from "../chat/conversation.ts";
import type { ToolContext } from "../chat/tool.ts";

export type Split = "train" | "test";

export interface Problem {
  /** The messages up to and including the last user's. */
  readonly prompt: readonly Message[];
  /** What a perfect assistant adds: its turns, with the true results of its tool calls between. */
  readonly solution: readonly Message[];
  readonly context: ToolContext;
  /**
   * @param reply what an assistant added, tool results included
   * @returns the reward, 0 … 1; 1 only when the problem is solved
   */
  grade(reply: readonly Message[]): number;
}

export interface Task {
  readonly name: string;
  readonly description: string;
  /** Of its problems, where they come from files; absent: made by this program. */
  readonly licence?: string;
  problem(index: number, split: Split, seed: number): Problem;
}
