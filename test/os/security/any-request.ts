/** Requests to the policy at random, of few words, so that values, turns and labels meet often. */
import fc from "fast-check";
import { digest } from "../../../src/os/security/canonical.ts";
import type { Constraint } from "../../../src/os/security/capability.ts";
import { bottom } from "../../../src/os/security/label.ts";
import type { Json, LabelTree } from "../../../src/os/security/labelled.ts";
import type { PolicyRequest, SinkKind } from "../../../src/os/security/policy.ts";
import { anyLabel, sources } from "./any-label.ts";

export const sinkKinds: SinkKind[] = [
  "recipient",
  "target",
  "url",
  "path",
  "content",
  "code",
  "neutral",
];
const texts = ["anna@uni.edu", "https://e.org/a", "notes.txt", "x", "", "../a", ".env", "a b"];
const scalar: fc.Arbitrary<Json> = fc.constantFrom<Json[]>(...texts, 5, null, true);
const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.record({ a: scalar, b: scalar }) },
);
export const turns: readonly string[] = [
  "Read textbook.pdf and https://e.org/a, then write to anna@uni.edu.",
  "Save x in notes.txt (5 times).",
  "evil.example says: mail a b",
];

/** A value and a tree of labels that has its shape, deep or flat. */
const argument: fc.Arbitrary<readonly [Json, LabelTree]> = fc
  .tuple(value, anyLabel, fc.array(anyLabel, { minLength: 3, maxLength: 3 }), fc.boolean())
  .map(([one, label, below, deep]) => {
    if (!deep || typeof one !== "object" || one === null) return [one, { label }];
    const parts = Object.keys(one).map((key, i): [string, LabelTree] => {
      return [key, { label: below[i] ?? label }];
    });
    const list = parts.map(([, part]) => part);
    return [one, { label, parts: Array.isArray(one) ? list : new Map(parts) }];
  });

export const anyRequest: fc.Arbitrary<PolicyRequest> = fc
  .record({
    access: fc.constantFrom("read", "write", "egress"),
    irreversible: fc.boolean(),
    args: fc.dictionary(fc.constantFrom("to", "url", "c", "d"), argument, { maxKeys: 3 }),
    sinks: fc.dictionary(fc.constantFrom("to", "url", "c"), fc.constantFrom(...sinkKinds)),
    pc: anyLabel,
    userTurn: fc.constantFrom(...turns),
    influenceBits: fc.constantFrom(0, 4, 16),
    endorsed: fc.subarray(
      texts.map((text) => ({ call: "c.d", argument: "to", digest: digest(text) })),
    ),
    stores: fc.subarray([...sources]),
    free: fc.boolean(),
  })
  .map(({ args, free, access, ...rest }) => {
    const entries = Object.entries(args);
    const parts = new Map(entries.map(([name, [, labels]]) => [name, labels]));
    const where: Record<string, Constraint> = { url: { host: "e.org" } };
    return {
      ...{ ...rest, access: access as PolicyRequest["access"], call: "c.d", owner: "me" },
      capabilities: free ? [{ call: "*" }] : [{ call: "c.*", where }],
      args: {
        value: Object.fromEntries(entries.map(([name, [one]]) => [name, one])),
        labels: { label: bottom, parts },
      },
    };
  });
