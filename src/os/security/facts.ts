/**
 * What is true of each thing that the policy judges. Every fact is a function of values, labels and
 * the request, with no case for any single call; a fact of a label holds for every smaller one too.
 */
import { digest } from "./canonical.ts";
import { covers } from "./capability.ts";
import {
  influenceBits,
  isTrusted,
  join,
  type Label,
  mayRead,
  type Readers,
  type Source,
} from "./label.ts";
import { type Json, type LabelTree, partLabels, wholeLabel } from "./labelled.ts";
import { isProtected, toPath, toUrl } from "./place.ts";
import type { PolicyRequest, SinkKind } from "./policy-request.ts";
import type { Fact, Judged } from "./policy-table.ts";
import { bitsOfChoice, isNamed, readTurn, standsIn, type Turn } from "./turn.ts";

/** One thing to judge: a leaf of an argument, a whole argument, or a decision. */
export interface Item {
  readonly judges: Judged;
  readonly argument?: string;
  readonly value?: Json;
  readonly label: Label;
}

/** The request, and what is worked out of it once. */
export interface Scene {
  readonly request: PolicyRequest;
  readonly access: PolicyRequest["access"];
  readonly turn: Turn;
  /** Who decided that the call is made, and which arguments it has and has not. */
  readonly decision: Label;
  /** Whom the call reaches: recipients, and hosts of URLs. Nobody named: everybody. */
  readonly audience: Readers;
  /** The user typed all of them in this turn. */
  readonly audienceTyped: boolean;
}

export type Argument = readonly [name: string, sink: SinkKind, value: Json, labels: LabelTree];

const sinkKinds = "recipient target url path content code neutral".split(" ");
const maxLeaves = 256;

/** A call that names a URL leaves the machine, and one that cannot be undone is no read. */
export function setScene(request: PolicyRequest): Scene {
  const args = argumentsOf(request);
  const reached = args.filter(([, sink]) => sink === "recipient" || sink === "url");
  const { access, irreversible } = request;
  const leaving = args.some(([, sink]) => sink === "url");
  const turn = readTurn(request.userTurn);
  const leaves = reached.flatMap((argument) => leavesOf(argument));
  return {
    request,
    turn,
    decision: join(request.pc, request.args.labels.label),
    access: leaving ? "egress" : irreversible && access === "read" ? "write" : access,
    audience: leaves.length === 0 ? "public" : new Set(leaves.map(principalOf)),
    audienceTyped:
      leaves.length > 0 && leaves.every((leaf) => standsIn(leaf.value ?? null, turn, leaf.judges)),
  };
}

/** Everything that the policy judges of this call. */
export function itemsOf(scene: Scene): readonly Item[] {
  const { request, access, decision: label } = scene;
  const decision: Item = { judges: "decision", label };
  if (access === "read") return [decision];
  const args = argumentsOf(request).flatMap((argument) => itemsOfArgument(argument, access));
  const last: Item[] = [decision, { judges: "influence", label }];
  if (request.irreversible) last.push({ judges: "irreversible", label });
  return [...args, ...last];
}

/** What leaves is content too, whatever else it is; who gets it must know it anyway. */
function itemsOfArgument(argument: Argument, access: PolicyRequest["access"]): readonly Item[] {
  const [name, sink, value, labels] = argument;
  const whole = { argument: name, value, label: wholeLabel(labels) };
  const content: Item = { ...whole, judges: "content" };
  if (sink === "content") return [content];
  if (sink === "code") return [{ ...whole, judges: sink }, content];
  if (sink === "neutral") return [access === "egress" ? content : { ...whole, judges: sink }];
  const leaves = leavesOf(argument);
  if (sink === "recipient") return leaves;
  if (sink !== "url") return access === "egress" ? [...leaves, content] : leaves;
  return [...leaves, ...leaves.map((leaf): Item => ({ ...leaf, judges: "carried by a URL" }))];
}

/** An argument that the call's row does not name is taken for a target. */
export function argumentsOf({ args, sinks }: PolicyRequest): readonly Argument[] {
  const { value, labels } = args;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("arguments must be an object");
  }
  return Object.entries(value).map(([name, part]) => {
    const sink = Object.hasOwn(sinks, name) ? sinks[name] : undefined;
    const known = sink !== undefined && sinkKinds.includes(sink) ? sink : "target";
    return [name, known, part as Json, labelsBelow(labels, value, name)];
  });
}

/** The scalars of an argument, and its objects, whose keys are somebody's choice as well. */
function leavesOf([argument, sink, value, labels]: Argument): readonly Item[] {
  const leaves: Item[] = [];
  const walk = (part: Json, tree: LabelTree): void => {
    if (leaves.length === maxLeaves) throw new RangeError("arguments too large");
    const isList = Array.isArray(part);
    const composite = typeof part === "object" && part !== null;
    if (!isList || part.length === 0) {
      const label = composite ? tree.label : wholeLabel(tree);
      leaves.push({ judges: sink, argument, value: part, label });
    }
    if (!composite) return;
    for (const [key, below] of Object.entries(part)) {
      walk(below as Json, labelsBelow(tree, part, key));
    }
  };
  walk(value, labels);
  return leaves;
}

/** Labels that do not have the value's shape are joined: none may get lost. */
function labelsBelow(tree: LabelTree, value: Json, key: string): LabelTree {
  const fits = tree.parts === undefined || Array.isArray(value) === Array.isArray(tree.parts);
  return fits ? partLabels(tree, key) : { label: wholeLabel(tree) };
}

/** As a reader's name: a host, an address in lower case, or what stands there. */
function principalOf({ judges, value }: Item): string {
  if (typeof value !== "string") return "\0";
  if (judges === "url") return toUrl(value)?.host ?? "\0";
  return value.includes("@") ? value.toLowerCase() : value;
}

/** The request holds only those that have not ended. */
const anyTime = Number.NEGATIVE_INFINITY;

export const facts: Readonly<Record<Fact, (item: Item, scene: Scene) => boolean>> = {
  trusted: (item, { request }) => isTrusted(item.label) || isEndorsed(item, request),
  typed: ({ value = null, judges }, { turn }) => {
    return standsIn(value, turn, judges === "carried by a URL" ? "url" : judges);
  },
  "looked up": ({ label }, scene) => {
    return everySource(label, (source) => isStore(source, scene) || isNamed(source, scene.turn));
  },
  readable: ({ label }, { audience }) => mayRead(label.readers, audience),
  named: (item, scene) => {
    const said = (source: Source) => isNamed(source, scene.turn);
    return (
      scene.audienceTyped && facts["the owner's"](item, scene) && everySource(item.label, said)
    );
  },
  "the owner's": ({ label }, { request }) => mayRead(label.readers, new Set([request.owner])),
  "no URL": ({ value }) => typeof value !== "string" || toUrl(value) === undefined,
  "no granted host": (_, { request: { capabilities, call, args } }) => {
    return !covers(capabilities, call, args.value, anyTime);
  },
  "no path": ({ value }) => typeof value !== "string" || toPath(value) === undefined,
  elsewhere: ({ value, argument = "" }, { request: { capabilities, call, args } }) => {
    const naming = capabilities.filter(({ where }) => {
      const limit = where !== undefined && Object.hasOwn(where, argument) ? where[argument] : {};
      return limit !== undefined && "under" in limit;
    });
    return toPath(String(value))?.root !== "" && !covers(naming, call, args.value, anyTime);
  },
  protected: ({ value }) => {
    const path = toPath(String(value));
    return path === undefined || isProtected(path);
  },
  "within budget": (_, scene) => bitsOf(itemsOf(scene), scene) <= scene.request.influenceBits,
  always: () => true,
};

/** User, configuration and models are no places that something comes from. */
function everySource({ integrity }: Label, is: (source: Source) => boolean): boolean {
  const carriers = /^(?:user|config|model:[\s\S]*)$/;
  return [...integrity].every((source) => carriers.test(source) || is(source));
}

function isStore(source: Source, { request: { stores = [] } }: Scene): boolean {
  return stores.some((store) => {
    return store.endsWith("*") ? source.startsWith(store.slice(0, -1)) : source === store;
  });
}

function isEndorsed({ argument, value }: Item, { call, args, endorsed }: PolicyRequest): boolean {
  const mine = endorsed.filter((one) => one.call === call && one.argument === argument);
  if (mine.length === 0 || argument === undefined || value === undefined) return false;
  const whole = (args.value as { readonly [name: string]: Json })[argument] ?? null;
  return mine.some((one) => one.digest === digest(whole));
}

/**
 * Bits that others could steer the call by: those of their answers that shaped the decision, or a
 * value that says where or what; and those of picking among the user's own values, which also could
 * tell of a secret. Of what cannot be undone nobody else may pick. What is carried steers nothing.
 */
function bitsOf(items: readonly Item[], scene: Scene): number {
  const picked = new Map<string, number>();
  let answers = scene.decision;
  for (const item of items) {
    const { judges, label, argument, value } = item;
    const carried = judges === "content" || judges === "carried by a URL";
    if (value === undefined || judges === "neutral" || isEndorsed(item, scene.request)) continue;
    const told = scene.access === "egress" && !facts.readable(item, scene);
    const own = carried ? !told : isTrusted(label);
    if (facts.typed(item, scene)) {
      const bits = own ? 0 : bitsOfChoice(value, scene.turn);
      if (bits > 0)
        picked.set(`${argument} ${value}`, scene.request.irreversible ? Infinity : bits);
    } else if (!carried) answers = join(answers, label);
  }
  return [...picked.values()].reduce((all, bits) => all + bits, influenceBits(answers));
}
