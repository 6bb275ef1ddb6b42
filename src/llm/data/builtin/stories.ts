/**
 * Makes the built-in stories: chooses a cast, a plot and the words, all from (seed, index). The
 * text is Nutshell's own, simple English of a few hundred words with dialogue, cause and effect,
 * made so that a model of a million parameters can learn it in minutes.
 */

import type { Document } from "../document.ts";
import { plots } from "./story-plots.ts";
import { animalNames, boys, girls, storyWords } from "./story-words.ts";
import { choose, createTelling, type Telling, tell } from "./template.ts";

const SEED = 1;

/** @returns `count` stories of about 1,200 characters; story i is the same in every longer list */
export function createStories(count: number): Document[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `story-${index}`,
    text: createStory(index),
  }));
}

/** Changes with the templates: the words and plots themselves, and what some stories come to. */
export function storiesVersion(): string {
  const some = createStories(20).map(({ text }) => text);
  return JSON.stringify([SEED, storyWords, plots, girls, boys, animalNames, some]);
}

export function createStory(index: number): string {
  const telling = createTelling(storyWords, SEED, index);
  const plot = choose(telling, plots);
  castRoles(telling);
  const sentences = plot.map((beat) => tell(telling, choose(telling, beat)));
  return joinBeats(telling, sentences);
}

interface Person {
  readonly name: string;
  readonly who: string;
  readonly female: boolean;
}

/** Binds the three roles and their pronouns: no prefix for the hero, f the friend, e the elder. */
function castRoles(telling: Telling): void {
  const animals = telling.pick(3) === 0;
  const hero = castPerson(telling, animals);
  const friend = castPerson(telling, animals);
  const elder = castPerson(telling, false);
  bindPerson(telling, "hero", "", hero);
  bindPerson(telling, "friend", "f", friend);
  bindPerson(telling, "elder", "e", { ...elder, name: elderName(telling, elder) });
  telling.bound.set("who", hero.who);
}

function castPerson(telling: Telling, animal: boolean): Person {
  const female = telling.pick(2) === 0;
  const taken = new Set(telling.bound.values());
  const names = (animal ? animalNames : female ? girls : boys).filter((name) => !taken.has(name));
  const name = choose(telling, names);
  const kind = animal ? "{size} {animal}" : female ? "{size} girl" : "{size} boy";
  return { name, female, who: tell(telling, `a ${kind}`) };
}

function elderName(telling: Telling, { name, female }: Person): string {
  const titles = female ? ["Aunt", "Grandmother", "Old"] : ["Uncle", "Grandfather", "Old"];
  return `${choose(telling, titles)} ${name}`;
}

function bindPerson(telling: Telling, role: string, prefix: string, person: Person): void {
  const [he, him, his] = person.female ? ["she", "her", "her"] : ["he", "him", "his"];
  telling.bound.set(role, person.name);
  telling.bound.set(`${prefix}he`, he as string);
  telling.bound.set(`${prefix}him`, him as string);
  telling.bound.set(`${prefix}his`, his as string);
  telling.bound.set(`${prefix}himself`, person.female ? "herself" : "himself");
}

/** Two or three beats make a paragraph; a line of dialogue likes to start one. */
function joinBeats(telling: Telling, beats: readonly string[]): string {
  return beats.reduce((text, beat) => {
    const breaks = beat.startsWith('"') || telling.pick(3) === 0;
    return `${text}${breaks ? "\n\n" : " "}${beat}`;
  });
}
