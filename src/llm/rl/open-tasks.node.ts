/** The tasks that a run names: built in, or over files of a data folder. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import { findFileTasks } from "../tasks/file-tasks.node.ts";
import { tasks as builtin } from "../tasks/table.ts";
import type { Task } from "../tasks/task.ts";

/** Data that lies beside the project's folder. */
const BESIDE = fileURLToPath(new URL("../../../../shared/data", import.meta.url));

/**
 * @param names joined by commas  @param folder of file tasks; absent: beside the project
 * @throws CONFIG for a task that is not there, or without problems to train on
 */
export async function openTasks(names: string, folder: string = BESIDE): Promise<Task[]> {
  const wanted = names.split(",").map((name) => name.trim());
  const isKnown = wanted.every((name) => builtin.has(name));
  const files = isKnown || !existsSync(folder) ? [] : await findFileTasks(folder);
  const usable = files.filter(({ sizes }) => sizes.train > 0 && sizes.test > 0);
  const all = new Map<string, Task>([
    ...usable.map((task) => [task.name, task] as const),
    ...builtin,
  ]);
  return wanted.map((name) => {
    const found = all.get(name);
    if (found !== undefined) return found;
    const hint = suggestName(name, [...all.keys()]);
    throw new NutshellError("CONFIG", `rl: no task named ${name} to train on. ${hint}`);
  });
}
