/** Every built-in task by name, and how much of each a first assistant trains on. */
import { calculatorTask } from "./calculator.ts";
import { clockTask } from "./clock.ts";
import { directTask } from "./direct.ts";
import { identityTask } from "./identity.ts";
import { fileTask, passageTask } from "./passage.ts";
import { rainTask } from "./rain.ts";
import { harmlessTask, refusalTask } from "./refusal.ts";
import { smalltalkTask } from "./smalltalk.ts";
import { spellingTask } from "./spelling.ts";
import { stepsTask } from "./steps.ts";
import type { Task } from "./task.ts";

export const tasks: ReadonlyMap<string, Task> = new Map(
  [
    calculatorTask(),
    stepsTask(),
    directTask(),
    clockTask,
    passageTask,
    fileTask,
    identityTask,
    spellingTask,
    smalltalkTask,
    refusalTask,
    harmlessTask,
    rainTask,
  ].map((task) => [task.name, task]),
);

export interface TaskShare {
  readonly task: string;
  /** Conversations, relative to the other tasks. */
  readonly weight: number;
}

/** For a model of a few million parameters: mostly the tool it can learn to use exactly. */
export const tinyMixture: readonly TaskShare[] = [
  { task: "calculator", weight: 40 },
  { task: "steps", weight: 16 },
  { task: "direct", weight: 4 },
  { task: "clock", weight: 5 },
  { task: "passage", weight: 6 },
  { task: "file", weight: 6 },
  { task: "identity", weight: 5 },
  { task: "spelling", weight: 7 },
  { task: "smalltalk", weight: 6 },
  { task: "refusal", weight: 5 },
  { task: "harmless", weight: 3 },
  { task: "rain", weight: 8 },
];
