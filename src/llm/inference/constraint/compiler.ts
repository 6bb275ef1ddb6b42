/** From a description of a text to constraints over one vocabulary, whose trie is built once. */
import { buildAutomaton } from "./automaton.ts";
import type { Constraint, ConstraintCompiler, VocabularyBytes } from "./constraint.ts";
import type { Grammar } from "./expression.ts";
import { parseGbnf } from "./gbnf.ts";
import { jsonGrammar } from "./json-text.ts";
import { emptyLedger } from "./key-ledger.ts";
import { pruneGrammar } from "./pruned-grammar.ts";
import { createPushdown } from "./pushdown.ts";
import { schemaGrammar } from "./schema.ts";
import { beginText } from "./text-constraint.ts";
import { createMasks, type MaskOf } from "./token-masks.ts";
import { buildTrie, type VocabularyTrie } from "./vocabulary-trie.ts";

/**
 * Every byte that a text may need should be a token of its own, as in any byte-level vocabulary;
 * what needs another byte is left out of the language, so that no text gets stuck before it.
 */
export function createConstraintCompiler(codec: VocabularyBytes): ConstraintCompiler {
  let vocabulary: { trie: VocabularyTrie; maskOf: MaskOf } | undefined;
  const compile = (grammar: Grammar, where: string): (() => Constraint) => {
    const trie = vocabulary?.trie ?? buildTrie(codec);
    vocabulary ??= { trie, maskOf: createMasks(trie) };
    const automaton = buildAutomaton(pruneGrammar(grammar, trie.single, where));
    const pushdown = createPushdown(automaton);
    const ledger = automaton.closesKey.size > 0 ? emptyLedger : undefined;
    const tokenBytes = (id: number) => codec.tokenBytes(id);
    const language = { ...vocabulary, pushdown, tokenBytes, vocabSize: codec.vocabSize };
    return () => beginText(language, { situation: pushdown.start(), ledger });
  };
  return {
    jsonSchema: (schema) => compile(schemaGrammar(schema), "schema"),
    json: () => compile(jsonGrammar(), "json"),
    grammar: (gbnf) => compile(parseGbnf(gbnf), "grammar"),
  };
}
