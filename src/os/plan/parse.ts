/**
 * Text to plan. The syntax is TypeScript's, read by a TypeScript parser; of its trees only what
 * stands in the tables of `statements.ts` and `expressions.ts` is a plan, all else is refused with
 * its place. Nothing of the text is ever run by the host language.
 */
import { type File, parse } from "@babel/parser";
import { NutshellError } from "../../error.ts";
import { translateExpression } from "./expressions.ts";
import type { Plan } from "./plan.ts";
import { createScope, type Names } from "./scope.ts";
import { translateBlock } from "./statements.ts";

/** UTF-16 units of a plan's text. */
const LONGEST = 65_536;

/** `<` where a value should start: parsing time doubles with each that stands in another. */
const CAST =
  /(?:^|[=([{}<,;:?&|!+\-*/%^~>.]|\n|\b(?:await|return|typeof|void|in|of|case|else|do|throw|new|delete|yield|default|extends|as|satisfies|is|infer|keyof|instanceof))[ \t]*</g;
const MOST_CASTS = 6;

export interface ParseOptions {
  /** Names that the plan may read without declaring them: `PlanStart.inputs`. */
  readonly inputs?: readonly string[];
  /** Names of all calls; absent: any name is let through, and the host refuses it. */
  readonly calls?: ReadonlySet<string>;
}

/** @throws NutshellError PLAN `plan LINE:COLUMN: rule, got values. hint` */
export function parsePlan(text: string, options: ParseOptions = {}): Plan {
  const { program } = readSyntax(text);
  const names: Names = { text, slots: 0, calls: options.calls, translate: translateExpression };
  const scope = createScope(names, options.inputs ?? []);
  if (program.directives[0] !== undefined) scope.refuse(program.directives[0], "no directives");
  const body = translateBlock(program.body, scope);
  const variables = [...scope.bindings].flatMap(([name, bound]) =>
    bound.kind === "variable" ? [[name, bound.slot] as const] : [],
  );
  return { body, slots: names.slots, names: new Map(variables) };
}

function readSyntax(text: string): File {
  if (text.length > LONGEST) {
    fail("1:1", `a plan has at most ${LONGEST} characters, got ${text.length}. Make it shorter`);
  }
  if ((text.match(CAST)?.length ?? 0) > MOST_CASTS) {
    fail("1:1", "types in front of values are refused, got many <. Write `value as Type`");
  }
  try {
    const plugins = ["typescript" as const];
    return parse(text, { sourceType: "module", plugins, allowReturnOutsideFunction: true });
  } catch (error) {
    if (error instanceof RangeError) return fail("1:1", "nested too deeply. Use more variables");
    return fail(placeOf(error), `${sentenceOf(error)}. The language is a subset of TypeScript`);
  }
}

function fail(place: string, text: string): never {
  throw new NutshellError("PLAN", `plan ${place}: ${text}.`);
}

function placeOf(error: unknown): string {
  const { loc } = error as { loc?: { line: number; column: number } };
  return loc === undefined ? "1:1" : `${loc.line}:${loc.column + 1}`;
}

/** The parser's own words, on one line, without its place and full stop. */
function sentenceOf(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return said
    .replace(/\s*\(\d+:\d+\)\s*$/, "")
    .replace(/\s+/g, " ")
    .replace(/\.$/, "");
}
