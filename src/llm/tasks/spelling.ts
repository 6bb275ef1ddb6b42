/**
 * Letters, which a model that reads tokens never sees: a word spelled out, one of its letters
 * counted, the word turned round. The key is the word: one that is held out has its letters in no
 * exercise that is trained on.
 */
import { assistant, defineTask, plainContext, user } from "./define-task.ts";
import type { Draw } from "./draw.ts";
import { finalText, numbersIn, toolCallsOf } from "./grade.ts";
import { spellingWords } from "./spelling-words.ts";
import type { Task } from "./task.ts";
import { fillWording } from "./wording.ts";

interface Exercise {
  readonly wordings: readonly string[];
  /** A letter that the question names; only counting needs one. */
  letter(word: string, draw: Draw): string;
  answer(word: string, letter: string): string;
  isRight(text: string, word: string, letter: string): boolean;
}

const lettersOf = (word: string): string => [...word].join(" ");
const reverse = (word: string): string => [...word].reverse().join("");
const count = (word: string, letter: string): number => word.split(letter).length - 1;
const times = (n: number): string => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`);
const timesRead: Readonly<Record<string, string>> = { once: "1", twice: "2", no: "0" };

const exercises: readonly Exercise[] = [
  {
    wordings: [
      "[Spell|Please spell] the word {word}[|, letter by letter].",
      "[How do you|How do I] spell {word}?",
      "Spell {word}[| letter by letter].",
      "[Which|What] letters are in {word}?",
      "Write {word} letter by letter.",
      "[Can|Could] you spell {word}?",
    ],
    letter: () => "",
    answer: (word) => `${lettersOf(word)}`,
    isRight: (text, word) => plainLetters(text) === lettersOf(word),
  },
  {
    wordings: [
      "How many times does the letter {letter} occur in {word}?",
      "How often is [the letter |]{letter} in {word}?",
      "Count the letter {letter} in {word}.",
      "How many {letter}'s are in {word}?",
    ],
    letter: (word, draw) => draw.choose([...word, ...word, ..."aeirst"]),
    answer: (word, letter) =>
      `${lettersOf(word)}: the letter ${letter} is there ${times(count(word, letter))}.`,
    isRight: (text, word, letter) => countRead(text) === String(count(word, letter)),
  },
  {
    wordings: [
      "[Reverse|Turn round] the word {word}.",
      "[What is|How do you write] {word} backwards?",
      "Write {word} backwards.",
      "Say {word} from back to front.",
    ],
    letter: () => "",
    answer: (word) => `${lettersOf(word)}: ${reverse(word)}`,
    isRight: (text, word) =>
      text
        .toLowerCase()
        .match(/[a-z]+/g)
        ?.at(-1) === reverse(word),
  },
];

export const spellingTask: Task = defineTask("spelling", "Words letter by letter", (draw) => {
  const exercise = draw.choose(exercises);
  const word = draw.choose(spellingWords);
  const letter = exercise.letter(word, draw);
  const question = fillWording(draw, exercise.wordings, { word, letter });
  return {
    key: word,
    problem: () => ({
      prompt: [user(question)],
      solution: [assistant(exercise.answer(word, letter))],
      context: plainContext,
      grade: (reply) =>
        toolCallsOf(reply).length === 0 && exercise.isRight(finalText(reply), word, letter) ? 1 : 0,
    }),
  };
});

/** Letters with whatever stood between them as single spaces: `C-A-T.` is "c a t". */
function plainLetters(text: string): string {
  return text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((letter) => letter !== "")
    .join(" ");
}

/** @returns the one count that a text states, in figures or as once, twice, no times */
function countRead(text: string): string | undefined {
  const words = text.toLowerCase().match(/\b(?:once|twice|no(?= times))\b/g) ?? [];
  const counts = [...numbersIn(text), ...words.map((word) => timesRead[word] as string)];
  return counts.length === 1 ? counts[0] : undefined;
}
