/**
 * The held-out side of everything in this folder. A problem, a conversation or a ranking has a key
 * (its expression, its question); the hash of the key alone decides the side, so that no problem is
 * in both splits, whatever the seed, the task or the wording.
 */
import type { Message } from "../chat/conversation.ts";
import { hashText } from "../data/hash.ts";
import type { Split } from "./task.ts";

/** One key in this many is held out. */
const TEST_ONE_IN = 8;

/** What the report card asks of every model: never trained on. */
const shownInReports: ReadonlySet<string> = new Set([
  "2+2",
  "24*78",
  "249*23353",
  "it's raining so i should bring an",
]);

/** @returns the side of a key; the same in every run */
export function splitOf(key: string): Split {
  if (shownInReports.has(key)) return "test";
  return hashText(key) % TEST_ONE_IN === 0 ? "test" : "train";
}

/** @returns the side of a conversation or prompt from a file: that of its first question */
export function splitOfMessages(messages: readonly Message[]): Split {
  const question = messages.find(({ role }) => role === "user")?.content ?? "";
  return splitOf(question.trim().toLowerCase());
}
