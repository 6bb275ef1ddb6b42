/** From a description of a text to constraints over one vocabulary, whose trie is built once. */
import { NutshellError } from "../../../error.ts";
import type { ConstraintCompiler, VocabularyBytes } from "./constraint.ts";

export function createConstraintCompiler(codec: VocabularyBytes): ConstraintCompiler {
  const refuse = (what: string) => (): never => {
    const where = `constraint: ${what} over ${codec.vocabSize} tokens`;
    throw new NutshellError("UNSUPPORTED", `${where} cannot be compiled by this version.`);
  };
  return { jsonSchema: refuse("a schema"), json: refuse("JSON"), grammar: refuse("a grammar") };
}
