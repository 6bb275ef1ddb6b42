/** Every tool that a model may call, by name. */
import type { Tool } from "../tool.ts";
import { calculator } from "./calculator.ts";
import { clock } from "./clock.ts";
import { readFile } from "./read-file.ts";

export const tools: ReadonlyMap<string, Tool> = new Map(
  [calculator, clock, readFile].map((tool) => [tool.name, tool]),
);
