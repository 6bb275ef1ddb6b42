/** The suites: what is measured under each name, in order. */
import { harmlessTask, isRefusal } from "../tasks/refusal.ts";
import { tasks } from "../tasks/table.ts";
import { coreSets, type DataSet, mathSets, textSets } from "./data-sets.ts";
import type { Measure } from "./measure.ts";
import { measurePreferences } from "./measure-preferences.node.ts";
import { measureSet } from "./measure-set.ts";
import { measureTalk } from "./measure-talk.ts";
import { measureTasks, type NamedTask } from "./measure-tasks.ts";
import { measureText } from "./measure-text.node.ts";
import { waysOfThinking } from "./ways-of-thinking.ts";

export interface NamedMeasure {
  readonly name: string;
  /** Asks as a chat, whatever the model: needs a vocabulary with the marks of one. */
  readonly isChat?: boolean;
  readonly measure: Measure;
}

/** Of harmless questions that sound harmful: one minus this is the rate of over-refusal. */
const notRefused: NamedTask["also"] = {
  name: "not refused",
  holds: ({ text }) => !isRefusal(text),
};

const allTasks: readonly NamedTask[] = [...tasks].map(([name, task]) => {
  return { name, task, ...(task === harmlessTask ? { also: notRefused } : {}) };
});

const ofSets = (sets: readonly DataSet[]): NamedMeasure[] =>
  sets.map((set) => ({ name: set.name, measure: measureSet(set) }));

export const suites: Readonly<Record<string, readonly NamedMeasure[]>> = {
  assistant: [{ name: "tasks", isChat: true, measure: measureTasks(allTasks) }],
  arithmetic: [{ name: "arithmetic", isChat: true, measure: measureTasks(waysOfThinking) }],
  core: ofSets(coreSets),
  text: [{ name: "held-out text", measure: measureText }, ...ofSets(textSets)],
  math: ofSets(mathSets),
  preferences: [{ name: "preferences", measure: measurePreferences }],
  talk: [{ name: "talk", measure: measureTalk }],
};
