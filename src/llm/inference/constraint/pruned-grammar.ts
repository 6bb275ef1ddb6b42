/**
 * A grammar without dead ends. What can never be finished is cut out: bytes that the vocabulary has
 * no token for, alternatives that lead nowhere, rules that only go round in circles. After this
 * every prefix that the automaton accepts is the beginning of a whole text, one byte at a time.
 * Left recursion is refused here, since a stack that grows without reading would never stop.
 */
import { NutshellError } from "../../../error.ts";
import {
  type ByteSet,
  choice,
  type Expression,
  type Grammar,
  nothing,
  oneByte,
  repeat,
  sequence,
} from "./expression.ts";

/**
 * @param bytes that can be said: each is a token of its own
 * @throws CONFIG when no text is left, or a rule begins with itself
 */
export function pruneGrammar(whole: Grammar, bytes: ByteSet, where: string): Grammar {
  const grammar = { rules: reachable(whole.rules, whole.root), root: whole.root };
  const finite = rulesWhere(grammar, (e, known) => canFinish(e, bytes, known));
  if (!finite.has(grammar.root))
    throw fail(where, "some finite text must satisfy it, got one that can never be finished");
  const kept = [...grammar.rules].filter(([name]) => finite.has(name));
  const rules = new Map(kept.map(([name, e]) => [name, prune(e, bytes, finite)]));
  const pruned = { rules: reachable(rules, grammar.root), root: grammar.root };
  refuseLeftRecursion(pruned, where);
  return pruned;
}

/** The least set of rules that is closed under `holds`. */
function rulesWhere(
  { rules }: Grammar,
  holds: (e: Expression, known: ReadonlySet<string>) => boolean,
): Set<string> {
  const known = new Set<string>();
  for (let before = -1; before < known.size; ) {
    before = known.size;
    for (const [name, e] of rules) if (!known.has(name) && holds(e, known)) known.add(name);
  }
  return known;
}

function canFinish(e: Expression, bytes: ByteSet, known: ReadonlySet<string>): boolean {
  if (e.kind === "byte") return (e.set & bytes) !== 0n;
  if (e.kind === "rule") return known.has(e.name);
  if (e.kind === "repeat") return e.min === 0 || canFinish(e.item, bytes, known);
  if (e.kind === "sequence") return e.items.every((item) => canFinish(item, bytes, known));
  return e.kind === "key-end" || e.items.some((item) => canFinish(item, bytes, known));
}

function prune(e: Expression, bytes: ByteSet, finite: ReadonlySet<string>): Expression {
  const inner = (item: Expression) => prune(item, bytes, finite);
  if (e.kind === "byte") return oneByte(e.set & bytes);
  if (e.kind === "rule") return finite.has(e.name) ? e : nothing;
  if (e.kind === "repeat") return repeat(inner(e.item), e.min, e.max);
  if (e.kind === "sequence") return sequence(...e.items.map(inner));
  return e.kind === "key-end" ? e : choice(...e.items.map(inner));
}

function reachable(rules: ReadonlyMap<string, Expression>, root: string): Map<string, Expression> {
  const found = new Map<string, Expression>();
  const pending = [root];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const e = rules.get(name);
    if (!e || found.has(name)) continue;
    found.set(name, e);
    mention(e, pending);
  }
  return found;
}

/** Adds the names of rules in it. */
function mention(e: Expression, names: string[]): void {
  if (e.kind === "rule") names.push(e.name);
  else if (e.kind === "repeat") mention(e.item, names);
  else if (e.kind === "sequence" || e.kind === "choice")
    for (const item of e.items) mention(item, names);
}

export function canBeEmpty(e: Expression, known: ReadonlySet<string>): boolean {
  if (e.kind === "byte") return false;
  if (e.kind === "rule") return known.has(e.name);
  if (e.kind === "repeat") return e.min === 0 || canBeEmpty(e.item, known);
  if (e.kind === "sequence") return e.items.every((item) => canBeEmpty(item, known));
  return e.kind === "key-end" || e.items.some((item) => canBeEmpty(item, known));
}

/** Names of rules whose text may be empty. */
export function emptyRules(grammar: Grammar): Set<string> {
  return rulesWhere(grammar, canBeEmpty);
}

function refuseLeftRecursion(grammar: Grammar, where: string): void {
  const blank = emptyRules(grammar);
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) throw recursion(where, [...path.slice(path.indexOf(name)), name]);
    if (done.has(name)) return;
    const e = grammar.rules.get(name);
    for (const next of e ? beginnings(e, blank) : []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of grammar.rules.keys()) visit(name, []);
}

/** Rules that may be entered before a byte is read. */
function beginnings(e: Expression, blank: ReadonlySet<string>): string[] {
  if (e.kind === "rule") return [e.name];
  if (e.kind === "repeat") return beginnings(e.item, blank);
  if (e.kind === "choice") return e.items.flatMap((item) => beginnings(item, blank));
  if (e.kind !== "sequence") return [];
  const solid = e.items.findIndex((item) => !canBeEmpty(item, blank));
  const first = solid < 0 ? e.items : e.items.slice(0, solid + 1);
  return first.flatMap((item) => beginnings(item, blank));
}

function recursion(where: string, path: readonly string[]): NutshellError {
  const hint = "Write it as a repetition: a ::= b c* instead of a ::= a c | b.";
  return fail(where, `no rule may begin with itself, got ${path.join(" → ")}`, hint);
}

function fail(where: string, what: string, hint?: string): NutshellError {
  return new NutshellError("CONFIG", `${where}: ${what}.${hint ? ` ${hint}` : ""}`);
}
