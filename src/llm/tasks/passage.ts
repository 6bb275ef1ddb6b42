/**
 * Reading: a question answered from a passage, which stands in the question (`passage`) or in a
 * file that must be read first (`file`). Beside the right file lies another of the same kind.
 */
import { assistant, callTool, defineTask, plainContext, user } from "./define-task.ts";
import type { Draw } from "./draw.ts";
import { answersWord, exactToolCall, toolCallsOf } from "./grade.ts";
import { drawPassage, type Passage } from "./passage-story.ts";
import type { Problem, Task } from "./task.ts";
import { fillWording } from "./wording.ts";

const layouts: readonly string[] = [
  "{text}\n\n{question}",
  "{text}\n{question}",
  "Read this: {text}\n{question}",
  "{question}\n\n{text}",
  "{text} Question: {question}",
];

const fileNames: readonly string[] = [
  "notes",
  "list",
  "diary",
  "letter",
  "report",
  "story",
  "facts",
  "people",
  "memo",
  "log",
  "today",
  "house",
  "plan",
  "summary",
  "things",
  "message",
];

const fileWordings: readonly string[] = [
  "[Read|Open|Look in|Look at|See|Check] {file}. {question}",
  "{question} [Look in|Read|The answer is in|It is in|See] {file}.",
  "[Using|From|According to] {file}: {question}",
];

export const passageTask: Task = defineTask(
  "passage",
  "A question answered from a short passage",
  (draw) => {
    const passage = drawPassage(draw);
    const { text, question } = passage;
    const prompt = [user(fillWording(draw, layouts, { text, question }))];
    const problem = (): Problem => ({
      prompt,
      solution: [assistant(passage.sentence)],
      context: plainContext,
      grade: (reply) => (toolCallsOf(reply).length === 0 && isRight(reply, passage) ? 1 : 0),
    });
    return { key: passage.key, problem };
  },
);

export const fileTask: Task = defineTask(
  "file",
  "A question answered from a file, read through a tool",
  (draw) => {
    const passage = drawPassage(draw);
    const { key, question } = passage;
    const [file, other] = drawFiles(draw);
    const files = { [file]: passage.text, [other]: drawPassage(draw).text };
    const prompt = [user(fillWording(draw, fileWordings, { file, question }))];
    return { key, problem: () => toFileProblem(prompt, passage, file, files) };
  },
);

function toFileProblem(
  prompt: Problem["prompt"],
  passage: Passage,
  file: string,
  files: Readonly<Record<string, string>>,
): Problem {
  const context = { ...plainContext, files };
  const problem: Problem = {
    prompt,
    solution: [...callTool("read_file", { name: file }, context), assistant(passage.sentence)],
    context,
    grade: (reply) => (exactToolCall(reply, problem) && isRight(reply, passage) ? 1 : 0),
  };
  return problem;
}

function drawFiles(draw: Draw): [string, string] {
  const first = draw.pick(fileNames.length);
  const second = (first + 1 + draw.pick(fileNames.length - 1)) % fileNames.length;
  return [`${fileNames[first]}.txt`, `${fileNames[second]}.txt`];
}

function isRight(reply: Problem["prompt"], { answer, rivals }: Passage): boolean {
  return answersWord(reply, answer, rivals);
}
