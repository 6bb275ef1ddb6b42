/** The tasks that a run names: built in, or over files of a data folder. */
import { existsSync } from "node:fs";
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import { calculatorTask } from "../tasks/calculator.ts";
import { directTask } from "../tasks/direct.ts";
import { findFileTasks } from "../tasks/file-tasks.node.ts";
import { BESIDE } from "../tasks/find-given.node.ts";
import { stepsTask } from "../tasks/steps.ts";
import { tasks as builtin } from "../tasks/table.ts";
import type { Task } from "../tasks/task.ts";
import { parseDigits, type RlConfig } from "./config.ts";

/** Tasks with numbers of any length: how hard they are is a dial. */
const dialled: Readonly<Record<string, (digits: readonly [number, number]) => Task>> = {
  steps: (digits) => stepsTask({ digits }),
  calculator: (digits) => calculatorTask({ digits }),
  direct: (digits) => directTask({ digits }),
};

type Asked = Pick<RlConfig, "task" | "data" | "digits">;

/** @throws CONFIG for a task that is not there, or without problems to train on */
export async function openTasks({ task, data: folder = BESIDE, digits }: Asked): Promise<Task[]> {
  const range = digits === undefined ? undefined : parseDigits(digits);
  const wanted = task.split(",").map((name) => name.trim());
  const isKnown = wanted.every((name) => builtin.has(name));
  const files = isKnown || !existsSync(folder) ? [] : await findFileTasks(folder);
  const usable = files.filter(({ sizes }) => sizes.train > 0 && sizes.test > 0);
  const all = new Map<string, Task>([
    ...usable.map((task) => [task.name, task] as const),
    ...builtin,
  ]);
  return wanted.map((name) => {
    const found = (range && dialled[name]?.(range)) ?? all.get(name);
    if (found !== undefined) return found;
    const hint = suggestName(name, [...all.keys()]);
    throw new NutshellError("CONFIG", `rl: no task named ${name} to train on. ${hint}`);
  });
}
