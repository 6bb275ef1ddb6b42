/**
 * Plans by hand for a known suite, `plans/NAME.json`: what a good sealed planner would write, with
 * branches and arithmetic, where derived plans only copy the ground truth. They are used for a task
 * only while its prompt is the one that they were written for.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type JsonObject,
  type Suite,
  toList,
  toObject,
  toText,
  type UserTask,
} from "./suite-format.ts";

const folder = join(import.meta.dirname, "plans");

export function withHandPlans(suite: Suite): Suite {
  const path = join(folder, `${suite.name}.json`);
  if (!/^[\w-]+$/.test(suite.name) || !existsSync(path)) return suite;
  const plans = toObject(JSON.parse(readFileSync(path, "utf8")), path);
  return { ...suite, userTasks: suite.userTasks.map((task) => withPlan(task, plans)) };
}

function withPlan(task: UserTask, plans: JsonObject): UserTask {
  if (task.plan !== undefined || !Object.hasOwn(plans, task.id)) return task;
  const given = toObject(plans[task.id], task.id);
  if (given.prompt !== task.prompt) return task;
  const lines = toList(given.plan, task.id).map((line) => toText(line, task.id));
  const answers = toObject(given.answers ?? {}, task.id) as JsonObject;
  return { ...task, plan: lines.join("\n"), answers };
}
