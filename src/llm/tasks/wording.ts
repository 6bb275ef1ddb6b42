/**
 * Wordings: templates with alternatives in brackets and values in braces, in the small language of
 * `data/builtin/template.ts`, so that a few lines ask one thing in many ways.
 */
import { choose, type Telling, tell } from "../data/builtin/template.ts";
import type { Draw } from "./draw.ts";

/** @returns one of the templates, its alternatives chosen and its values filled in */
export function fillWording(
  draw: Draw,
  templates: readonly string[],
  values: Readonly<Record<string, string>>,
): string {
  const telling: Telling = {
    tables: {},
    bound: new Map(Object.entries(values)),
    pick: draw.pick,
  };
  return tell(telling, choose(telling, templates));
}
