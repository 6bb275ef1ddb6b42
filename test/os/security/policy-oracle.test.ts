/**
 * The policy against the plain words of its design, written a second time without its table: what
 * is allowed is safe, and what is safe is allowed. What stands in a turn is listed here by hand.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digest } from "../../../src/os/security/canonical.ts";
import type { Label } from "../../../src/os/security/label.ts";
import type { Json, LabelTree } from "../../../src/os/security/labelled.ts";
import { decide, type PolicyRequest } from "../../../src/os/security/policy.ts";
import { anyRequest, turns } from "./any-request.ts";

const typedIn: readonly Json[][] = [
  ["anna@uni.edu", "https://e.org/a"],
  ["x", "notes.txt", 5],
  ["a b"],
];
const namedIn = [["file:textbook.pdf"], [], ["origin:https://evil.example"]];
const paths: Json[] = ["anna@uni.edu", "notes.txt", "x", "a b"];
const hosts = new Map<Json, string>([
  ["https://e.org/a", "e.org"],
  ["notes.txt", "notes.txt"],
  ["x", "x"],
]);

interface Leaf {
  readonly value: Json;
  readonly labels: readonly Label[];
}

/** Scalars, empty lists and objects, each with all labels on the way to it. */
function leavesOf(value: Json, tree: LabelTree, above: readonly Label[]): Leaf[] {
  const labels = [...above, tree.label];
  const isList = Array.isArray(value);
  const own = isList && value.length > 0 ? [] : [{ value, labels }];
  if (typeof value !== "object" || value === null) return own;
  const below = Object.entries(value).flatMap(([key, part]) => {
    const parts = tree.parts as Map<string, LabelTree> | LabelTree[] | undefined;
    const found = parts instanceof Map ? parts.get(key) : parts?.[Number(key)];
    return found === undefined ? [{ value: part, labels }] : leavesOf(part, found, labels);
  });
  return [...own, ...below];
}

/** An empty list of nothing, or an object of nothing, still has the labels of its parts. */
function labelsOf(tree: LabelTree): Label[] {
  return [tree.label, ...[...(tree.parts?.values() ?? [])].flatMap(labelsOf)];
}

/** Everything, or calls whose argument "url" is of e.org. */
function isGranted({ capabilities, args }: PolicyRequest): boolean {
  const { url } = args.value as Record<string, Json>;
  const given = Array.isArray(url) ? url : [url];
  const fits = given.length > 0 && given.every((one) => one === "https://e.org/a");
  return capabilities[0]?.call === "*" || fits;
}

function isSafe(request: PolicyRequest): boolean {
  const { args, sinks, pc, endorsed, userTurn = "" } = request;
  const turn = turns.indexOf(userTurn);
  const isTyped = (value: Json) => typedIn[turn]?.includes(value) === true;
  const isOwn = (labels: readonly Label[]) =>
    labels.every((one) => [...one.integrity].every((source) => /^(user|config)$/.test(source)));
  const all = Object.entries(args.value as Record<string, Json>).map(([name, value]) => {
    const tree = (args.labels.parts as Map<string, LabelTree>).get(name) as LabelTree;
    const vouched = endorsed.some((one) => one.argument === name && one.digest === digest(value));
    const labels = [args.labels.label, ...labelsOf(tree)];
    const leaves = leavesOf(value, tree, [args.labels.label]);
    return { sink: sinks[name] ?? "target", value, vouched, labels, leaves };
  });
  const leaving = request.access === "egress" || all.some(({ sink }) => sink === "url");
  if (request.access === "read" && !leaving && !request.irreversible) return true;

  const reached = all.filter(({ sink }) => sink === "recipient" || sink === "url");
  const whom = reached.flatMap(({ sink, leaves }) =>
    leaves.map(({ value }) => (sink === "url" ? hosts.get(value) : value)),
  );
  const whomTyped = reached.every(({ leaves }) => leaves.every(({ value }) => isTyped(value)));
  const maySee = (labels: readonly Label[]): boolean =>
    labels.every(({ readers }) => {
      if (readers === "public") return true;
      return whom.length > 0 && whom.every((one) => typeof one === "string" && readers.has(one));
    });
  const isSaid = (labels: readonly Label[]): boolean => {
    const said = /^(user|config|model:.*)$/;
    const sources = labels.flatMap((one) => [...one.integrity]);
    const mine = labels.every(({ readers }) => readers === "public" || readers.has("me"));
    const named = sources.every((one) => said.test(one) || namedIn[turn]?.includes(one));
    return mine && whom.length > 0 && whomTyped && named;
  };
  const mayLeave = (labels: readonly Label[]): boolean =>
    !leaving || maySee(labels) || isSaid(labels);

  const decision = [pc, args.labels.label];
  if (!mayLeave(decision) || (request.irreversible && !isOwn(decision))) return false;
  return all.every(({ sink, value, vouched, labels, leaves }) => {
    const chosen = (one: Leaf) => vouched || isOwn(one.labels) || isTyped(one.value);
    const carried = isTyped(value) || mayLeave(labels);
    if (sink === "content" || sink === "neutral") return carried;
    if (sink === "recipient") return leaves.every(chosen);
    if (sink === "target") return leaves.every(chosen) && carried;
    if (sink === "path") {
      return carried && leaves.every((one) => chosen(one) && paths.includes(one.value));
    }
    if (sink === "code") {
      return !leaving && (vouched || isOwn(labels) || isTyped(value));
    }
    return leaves.every((one) => {
      const fine = hosts.has(one.value) && isGranted(request);
      return fine && chosen(one) && (isTyped(one.value) || maySee(one.labels));
    });
  });
}

test("what is allowed is safe, and what is safe is allowed", () => {
  const seen = { safe: 0, not: 0 };
  fc.assert(
    fc.property(anyRequest, (request) => {
      const free = { ...request, influenceBits: Number.POSITIVE_INFINITY };
      const safe = isSafe(free);
      seen[safe ? "safe" : "not"] += 1;
      const { kind, reasons } = decide(free);
      assert.equal(kind === "allow", safe, JSON.stringify(reasons));
      if (decide(request).kind === "allow") assert.ok(safe, "the budget does not make it kinder");
    }),
    { numRuns: 4000 },
  );
  assert.ok(seen.safe > 500 && seen.not > 500, JSON.stringify(seen));
});
