/** JSON Schema to a grammar. */
import { NutshellError } from "../../../error.ts";
import type { Grammar } from "./expression.ts";

export function schemaGrammar(schema: unknown): Grammar {
  const got = JSON.stringify(schema)?.slice(0, 40);
  throw new NutshellError("UNSUPPORTED", `schema: this version reads none, got ${got}.`);
}
