/**
 * Short passages of made-up facts, each with the questions that it answers. Two people
 * have a thing each; what belongs to the other one rivals the answer, so that a reply which names
 * both answers nothing.
 */
import { boys, girls } from "../data/builtin/story-words.ts";
import type { Draw } from "./draw.ts";
import { fillWording } from "./wording.ts";

export interface Passage {
  /** Names who and what, and so tells apart two passages. */
  readonly key: string;
  readonly text: string;
  readonly question: string;
  readonly answer: string;
  /** The answer within its sentence. */
  readonly sentence: string;
  readonly rivals: readonly string[];
}

const names: readonly string[] = [...girls, ...boys];
const places: readonly string[] = [
  "kitchen",
  "garden",
  "barn",
  "attic",
  "school",
  "library",
  "bakery",
  "harbor",
  "market",
  "cellar",
  "workshop",
  "station",
  "garage",
  "museum",
  "office",
  "tower",
];
const objects: readonly string[] = [
  "lamp",
  "drum",
  "kite",
  "coat",
  "ladder",
  "basket",
  "clock",
  "bicycle",
  "map",
  "mirror",
  "boat",
  "chair",
  "bell",
  "book",
  "umbrella",
  "key",
];
const colors: readonly string[] = [
  "red",
  "blue",
  "green",
  "yellow",
  "white",
  "black",
  "brown",
  "purple",
  "orange",
  "silver",
];
const goods: readonly string[] = [
  "apples",
  "pears",
  "eggs",
  "stamps",
  "coins",
  "pencils",
  "plates",
  "shells",
  "cups",
  "nails",
  "tickets",
  "candles",
];

/** Two people with a thing of a color in a place each, and one of them with so many goods. */
interface Facts {
  readonly people: readonly [string, string];
  readonly places: readonly [string, string];
  readonly objects: readonly [string, string];
  readonly colors: readonly [string, string];
  readonly goods: string;
  readonly counts: readonly [string, string];
}

interface Question {
  readonly wordings: readonly string[];
  readonly sentence: string;
  answer(facts: Facts, who: 0 | 1): string;
}

const questions: readonly Question[] = [
  {
    wordings: ["Where is {name}'s {object}?", "Where does {name} keep the {object}?"],
    sentence: "It is in the {answer}.",
    answer: (facts, who) => facts.places[who],
  },
  {
    wordings: ["What color is {name}'s {object}?", "Which color does {name}'s {object} have?"],
    sentence: "It is {answer}.",
    answer: (facts, who) => facts.colors[who],
  },
  {
    wordings: ["Whose is the {object}?", "Who has [a|the] {object}?", "Who owns the {object}?"],
    sentence: "{answer} has it.",
    answer: (facts, who) => facts.people[who],
  },
  {
    wordings: ["How many {goods} does {name} have?", "How many {goods} has {name} got?"],
    sentence: "{name} has {answer} {goods}.",
    answer: (facts, who) => facts.counts[who],
  },
];

const tellings: readonly string[] = [
  "{name} keeps a {color} {object} in the {place}. {name} has {count} {goods}.",
  "The {color} {object} in the {place} belongs to {name}, who has {count} {goods}.",
  "{name} has {count} {goods} and a {color} {object}. The {object} is in the {place}.",
  "In the {place} stands the {color} {object} of {name}. {name} has {count} {goods} too.",
];

export function drawPassage(draw: Draw): Passage {
  const facts = drawFacts(draw);
  const who = draw.pick(2) as 0 | 1;
  const question = draw.choose(questions);
  const answer = question.answer(facts, who);
  const values = { ...valuesOf(facts, who), answer };
  return {
    key: Object.values(facts).flat().join(" "),
    text: `${tellPerson(draw, facts, 0)} ${tellPerson(draw, facts, 1)}`,
    question: fillWording(draw, question.wordings, values),
    answer,
    sentence: fillWording(draw, [question.sentence], values),
    rivals: ownValues(facts, who === 0 ? 1 : 0),
  };
}

function drawFacts(draw: Draw): Facts {
  return {
    people: drawTwo(draw, names),
    places: drawTwo(draw, places),
    objects: drawTwo(draw, objects),
    colors: drawTwo(draw, colors),
    goods: draw.choose(goods),
    counts: drawTwo(
      draw,
      Array.from({ length: 98 }, (_, i) => String(i + 2)),
    ),
  };
}

function drawTwo(draw: Draw, list: readonly string[]): [string, string] {
  const first = draw.pick(list.length);
  const second = (first + 1 + draw.pick(list.length - 1)) % list.length;
  return [list[first] as string, list[second] as string];
}

function tellPerson(draw: Draw, facts: Facts, who: 0 | 1): string {
  return fillWording(draw, tellings, valuesOf(facts, who));
}

function ownValues(facts: Facts, who: 0 | 1): string[] {
  const { people, places, objects, colors, counts } = facts;
  return [people, places, objects, colors, counts].map((pair) => pair[who]);
}

function valuesOf(facts: Facts, who: 0 | 1): Record<string, string> {
  return {
    name: facts.people[who],
    place: facts.places[who],
    object: facts.objects[who],
    color: facts.colors[who],
    count: facts.counts[who],
    goods: facts.goods,
  };
}
