/**
 * Non-interference, checked from outside: a plan runs in two worlds that are equal but for what an
 * attacker wrote (or what is secret), values, lengths, structure and failures. What is low, by labels
 * read here and not by the code under test, has to be equal: every call and question that is made
 * under a low pc, in order, with the low parts of its arguments; the result; the variables; and the
 * consequences that the policy lets through.
 */
import { isDeepStrictEqual } from "node:util";
import type { PlanHost, PlanOutcome, PlanResult } from "../../../src/os/plan/host.ts";
import type { parsePlan } from "../../../src/os/plan/parse.ts";
import type { AnswerType, TypedQuestion } from "../../../src/os/plan/question.ts";
import type { runPlan } from "../../../src/os/plan/run.ts";
import type { Label, Source } from "../../../src/os/security/label.ts";
import type { Json, Labelled, LabelTree, partLabels } from "../../../src/os/security/labelled.ts";
import { decide, type PolicyRequest } from "../../../src/os/security/policy.ts";
import { createRandom, type Type } from "./generate-plan.ts";

/**
 * `integrity`: untrusted values differ, answers too. `influence`: answers are the same (they are what
 * is endorsed), so that only what no question bounds may differ. `secrecy`: private values differ.
 */
export const kinds = ["integrity", "influence", "secrecy"] as const;
export type Kind = (typeof kinds)[number];

/** The code under test, or a mutant of it. */
export interface Language {
  readonly parsePlan: typeof parsePlan;
  readonly runPlan: typeof runPlan;
  readonly partLabels: typeof partLabels;
}

const nobody: ReadonlyMap<string, number> = new Map();
const label = (source: Source | undefined, readers: Label["readers"]): Label => ({
  integrity: new Set(source === undefined ? [] : [source]),
  readers,
  influence: nobody,
});
const owner = new Set(["owner"]);
const low: Label = label("config", "public");
const none: Label = label(undefined, "public");
const high: Readonly<Record<Kind, Label>> = {
  integrity: label("tool:web", "public"),
  influence: label("tool:web", "public"),
  secrecy: label("config", owner),
};

/** Read by hand: nothing of the code under test takes part. */
const isLow: Readonly<Record<Kind, (label: Label) => boolean>> = {
  integrity: ({ integrity }) => [...integrity].every((one) => one === "user" || one === "config"),
  influence: ({ influence }) => [...influence.values()].every(Number.isFinite),
  secrecy: ({ readers }) => readers === "public",
};

/** Who gets something is seen by outsiders too: of secrets, every argument is content. */
const sinks: Readonly<Record<Kind, PolicyRequest["sinks"]>> = {
  integrity: { to: "recipient", n: "target", body: "content" },
  influence: { to: "recipient", n: "target", body: "content" },
  secrecy: { to: "content", n: "content", body: "content" },
};

const HIDDEN = "(high)";

/** The value with everything high taken out. */
function lowPart({ value, labels }: Labelled, kind: Kind): Json {
  if (!isLow[kind](labels.label)) return HIDDEN;
  if (value === null || typeof value !== "object") return value;
  const part = (inner: Json, key: string | number): Json => {
    const { parts } = labels;
    const own = parts instanceof Map ? parts.get(key) : (parts as readonly LabelTree[])?.[+key];
    return lowPart({ value: inner, labels: own ?? { label: none } }, kind);
  };
  if (Array.isArray(value)) return value.map(part);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, part(inner, key)]));
}

function hash(...parts: readonly (string | number)[]): number {
  let state = 2166136261;
  for (const char of parts.join("\u0000")) {
    state = Math.imul(state ^ char.charCodeAt(0), 16777619);
  }
  return state >>> 0;
}

type Random = () => number;
const words = ["", "a", "a b", "x", "2", "b a x", " t", "x,y"];
const pick = <T>(random: Random, all: readonly T[]): T =>
  all[Math.floor(random() * all.length)] as T;
const times = <T>(random: Random, make: () => T): T[] =>
  Array.from({ length: Math.floor(random() * 4) }, make);

const values: Readonly<Record<Type, (random: Random) => Json>> = {
  num: (random) => Math.floor(random() * 6) - 1,
  str: (random) => pick(random, words),
  bool: (random) => random() < 0.5,
  nums: (random) => times(random, () => values.num(random)),
  strs: (random) => times(random, () => values.str(random)),
  rec: (random) => ({ x: values.num(random), t: values.str(random), b: values.bool(random) }),
  recs: (random) => times(random, () => values.rec(random)),
};

/** What an attacker may send where a number or text is expected. */
const odd: readonly Json[] = [null, "", -1, true, [], [[1]], { x: "q" }, { error: 1 }, "9e9", {}];

const anything = (type: Type, random: Random): Json =>
  random() < 0.15 ? pick(random, odd) : values[type](random);

/** Low where both worlds agree; a part that is high comes from the world's own dice. */
function mixed(value: Json, shared: Random, own: Random, kind: Kind): Labelled {
  if (shared() < 0.25) {
    const type = pick(shared, ["num", "str", "nums", "rec"] as const);
    return { value: anything(type, own), labels: { label: high[kind] } };
  }
  if (value === null || typeof value !== "object") return { value, labels: { label: low } };
  const entries = Object.entries(value).map(
    ([key, part]) => [key, mixed(part, shared, own, kind)] as const,
  );
  const isList = Array.isArray(value);
  const inner = Object.fromEntries(entries.map(([key, part]) => [key, part.value]));
  const parts = entries.map(([key, part]) => [key, part.labels] as const);
  return {
    value: isList ? Object.values(inner) : inner,
    labels: { label: low, parts: isList ? parts.map(([, tree]) => tree) : new Map(parts) },
  };
}

export interface World {
  readonly seed: number;
  readonly kind: Kind;
  /** 0 or 1. */
  readonly number: number;
}

/** Everything that was asked for, as an observer of what is low sees it. */
export interface Trace {
  /** Calls and questions under a low pc. */
  readonly calls: Json[];
  /** What the policy let through. */
  readonly consequences: Json[];
  denied: number;
  made: number;
}

export function createHost({ seed, kind, number }: World, trace: Trace): PlanHost {
  const ownSeed = (...parts: readonly (string | number)[]): number => hash(seed, number, ...parts);
  const ok = (value: Labelled): PlanOutcome => ({ status: "ok", value });
  const failed = (code: string, by: Label, detail?: Json): PlanOutcome => {
    const error = { code, message: "it failed", ...(detail === undefined ? {} : { detail }) };
    return { status: "error", error, labels: { label: by } };
  };
  const note = (what: string, pc: Label, ...parts: readonly Labelled[]): void => {
    trace.made++;
    if (!isLow[kind](pc)) return;
    trace.calls.push([what, ...parts.map((part) => lowPart(part, kind))]);
  };

  const sources: Readonly<Record<string, (type: Type, args: Labelled) => PlanOutcome>> = {
    low: (type, args) => {
      const random = createRandom(hash(seed, JSON.stringify(lowPart(args, kind))));
      return ok({ value: values[type](random), labels: { label: low } });
    },
    high: (type, args) => {
      const random = createRandom(ownSeed(JSON.stringify(args.value)));
      if (random() < 0.1) return failed("DEVICE", high[kind], anything(type, random));
      return ok({ value: anything(type, random), labels: { label: high[kind] } });
    },
    mix: (type, args) => {
      const shown = JSON.stringify(lowPart(args, kind));
      const [shared, own] = [createRandom(hash(seed, shown)), createRandom(ownSeed(shown))];
      return ok(mixed(values[type](shared), shared, own, kind));
    },
    // Its labels tell nothing: that the result is made of the arguments is the evaluator's to know.
    echo: (type, args) => {
      const random = createRandom(hash(seed, JSON.stringify(args.value)));
      return ok({ value: values[type](random), labels: { label: none } });
    },
  };

  return {
    async call(name, args, pc) {
      note(name, pc, args);
      const [device = "", method = ""] = name.split(".");
      const source = sources[device];
      if (source !== undefined) return source(method as Type, args);
      return act(name, args, pc);
    },
    async ask(question, pc) {
      const { choices, about, text, type } = question;
      note(`q ${type.kind}`, pc, text, about, ...(choices === undefined ? [] : [choices]));
      return ok({ value: reply(question), labels: { label: none } });
    },
  };

  /** Where answers are endorsed, they are a matter of the question alone: its number is first. */
  function reply({ type, text, about, choices }: TypedQuestion): Json {
    const marker = String((about.value as readonly Json[])[0]);
    const read = JSON.stringify([text.value, about.value, choices?.value ?? null]);
    const from = {
      integrity: ownSeed(read),
      influence: hash(seed, marker),
      secrecy: hash(seed, read),
    };
    const random = createRandom(from[kind]);
    // A text has no bound, so that it is not endorsed.
    const isFree = type.kind === "str" && kind === "influence";
    const free = isFree ? createRandom(ownSeed(read)) : random;
    return random() < 0.1 ? pick(random, odd) : answers[type.kind](type as never, free);
  }

  function act(name: string, args: Labelled, pc: Label): PlanOutcome {
    const verdict = decide({
      ...{ call: name, access: "egress", irreversible: name === "out.pay", args, pc },
      sinks: sinks[kind],
      ...{ owner: "owner", capabilities: [{ call: "*" }], endorsed: [] },
      // Where answers differ, not one bit of them may have steered.
      influenceBits: kind === "integrity" ? 0 : 16,
    });
    if (verdict.kind !== "allow") {
      trace.denied++;
      return failed("POLICY", none);
    }
    const { to, n, body } = args.value as Record<string, Json>;
    trace.consequences.push([
      name,
      to ?? null,
      n ?? null,
      kind === "secrecy" ? (body ?? null) : "",
    ]);
    return ok({ value: { x: 1, t: "done", b: true }, labels: { label: none } });
  }
}

const answers: {
  readonly [K in AnswerType["kind"]]: (
    type: Extract<AnswerType, { kind: K }>,
    random: Random,
  ) => Json;
} = {
  bool: (_, random) => random() < 0.5,
  int: ({ least, most }, random) => least + Math.floor(random() * (most - least + 1)),
  enum: ({ names }, random) => pick(random, names),
  date: (_, random) => `20${10 + Math.floor(random() * 80)}-02-03`,
  ref: ({ count }, random) => Math.floor(random() * count),
  str: (_, random) => pick(random, words),
};

export interface Pair {
  readonly traces: readonly [Trace, Trace];
  readonly results: readonly [PlanResult, PlanResult];
  /** What an observer saw differ; absent: nothing. */
  readonly violation?: string;
}

export async function runPair(
  language: Language,
  text: string,
  seed: number,
  kind: Kind,
): Promise<Pair> {
  const plan = language.parsePlan(text);
  const run = async (number: number): Promise<readonly [Trace, PlanResult]> => {
    const trace: Trace = { calls: [], consequences: [], denied: 0, made: 0 };
    const host = createHost({ seed, kind, number }, trace);
    return [trace, await language.runPlan(plan, host, { steps: 200_000 })];
  };
  const [[a, first], [b, second]] = [await run(0), await run(1)];
  const pair = { traces: [a, b], results: [first, second] } as const;
  const isCut = first.status === "stopped" || second.status === "stopped";
  const shown = (one: Json[], other: Json[]): Json[] => (isCut ? one.slice(0, other.length) : one);
  const end = isCut ? limitSeen : seen;
  const difference =
    differs("calls", shown(a.calls, b.calls), shown(b.calls, a.calls)) ??
    differs(
      "consequences",
      shown(a.consequences, b.consequences),
      shown(b.consequences, a.consequences),
    ) ??
    differs("ends", end(first, kind), end(second, kind));
  return difference === undefined ? pair : { ...pair, violation: difference };
}

function differs(what: string, a: Json, b: Json): string | undefined {
  if (isDeepStrictEqual(a, b)) return undefined;
  return `${what} differ:\n  ${JSON.stringify(a)}\n  ${JSON.stringify(b)}`;
}

/** What of an end is seen by who sees what is low. */
function seen(result: PlanResult, kind: Kind): Json {
  if (result.status === "stopped") return limitSeen(result, kind);
  const variables = [...result.variables].map(([name, value]) => [name, lowPart(value, kind)]);
  return [lowPart(result.value, kind), Object.fromEntries(variables)];
}

/**
 * Where a limit was reached in one world only, the trace is cut short there: the channel that the
 * language leaves open. It is never one that the end's label denies.
 */
function limitSeen(result: PlanResult, kind: Kind): Json {
  const isTold = result.status === "stopped" && isLow[kind](result.label);
  return isTold ? result.error.code : HIDDEN;
}
