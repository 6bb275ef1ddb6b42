/**
 * What the policy is asked and what it is taught: short stories about somebody, the beginning and
 * the end of a built-in story. As a task, its grade is the gold reward.
 */
import { createStory } from "../../src/llm/data/builtin/stories.ts";
import { animalNames, boys, girls, storyWords } from "../../src/llm/data/builtin/story-words.ts";
import { assistant, defineTask, plainContext, user } from "../../src/llm/tasks/define-task.ts";
import type { Draw } from "../../src/llm/tasks/draw.ts";
import type { Task } from "../../src/llm/tasks/task.ts";
import { goldReward } from "./gold.ts";

export const storyTask: Task = defineTask("story", "A short story about somebody", (draw) => {
  const question = askFor(drawWho(draw));
  return {
    key: question.toLowerCase(),
    problem: () => ({
      prompt: [user(question)],
      // Good stories have no one solution; this one only shows the form.
      solution: [assistant("And they all lived together, happy and good friends.")],
      context: plainContext,
      grade: (reply) => goldReward(reply.at(-1)?.content ?? ""),
    }),
  };
});

/** "a brave fox named Pip", from the words of the built-in stories. */
function drawWho(draw: Draw): string {
  const size = draw.choose(storyWords.size as readonly string[]);
  const kind = draw.choose(["animal", "girl", "boy"] as const);
  const being = kind === "animal" ? draw.choose(storyWords.animal as readonly string[]) : kind;
  const names = { animal: animalNames, girl: girls, boy: boys }[kind];
  return `${/^[aeiou]/.test(size) ? "an" : "a"} ${size} ${being} named ${draw.choose(names)}`;
}

const askFor = (who: string): string => `Tell me a story about ${who}.`;

export interface Lesson {
  readonly question: string;
  readonly answer: string;
}

const SENTENCE = /.+?[.!?]"?(?= (?=["A-Z])|$)/g;
const alternatives = (words: readonly string[] = []): string => words.join("|");
const WHO = new RegExp(
  `\\b(an? (?:${alternatives(storyWords.size)}) (?:girl|boy|${alternatives(storyWords.animal)}))\\b`,
);
const NAME = new RegExp(`\\b(${alternatives([...girls, ...boys, ...animalNames])})\\b`);

/**
 * @returns question and answer from built-in story `index`: its first two sentences and its last
 *   two; undefined when its beginning does not say who it is about
 */
export function tryLesson(index: number): Lesson | undefined {
  const sentences = createStory(index).replace(/\s+/g, " ").match(SENTENCE) ?? [];
  const [start, end] = [sentences.slice(0, 2).join(" "), sentences.slice(-2).join(" ")];
  const [who, name] = [WHO.exec(start)?.[1], NAME.exec(start)?.[1]];
  if (who === undefined || name === undefined || sentences.length < 4) return undefined;
  return {
    question: askFor(`${who} named ${name}`),
    answer: `${start} ${end}`.replace(/ +/g, " "),
  };
}
