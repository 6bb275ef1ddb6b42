/** Labels and trees of labels at random, few names, so that they meet often. */
import fc from "fast-check";
import type { Label, Readers, Source } from "../../../src/os/security/label.ts";
import type { LabelTree } from "../../../src/os/security/labelled.ts";

export const sources: readonly Source[] = [
  ...(["user", "config", "tool:contacts.find", "tool:a:b", "origin:https://evil.example"] as const),
  ...(["file:textbook.pdf", "file:__proto__", "agent:worker", "model:planner"] as const),
];

export const anyReaders: fc.Arbitrary<Readers> = fc.oneof(
  fc.constant("public" as const),
  fc.subarray(["me", "ann", "bob", "e.org", "anna@uni.edu"]).map((names) => new Set(names)),
);

export const anyLabel: fc.Arbitrary<Label> = fc.record({
  integrity: fc.subarray([...sources], { maxLength: 4 }).map((some) => new Set(some)),
  readers: anyReaders,
  influence: fc
    .uniqueArray(
      fc.tuple(fc.constantFrom("q1", "q2", "__proto__"), fc.constantFrom(0, 1, 3.5, 12, Infinity)),
      { selector: ([question]) => question, maxLength: 2 },
    )
    .map((pairs) => new Map(pairs)),
});

const { tree } = fc.letrec<{ tree: LabelTree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.record({ label: anyLabel }),
    fc.record({ label: anyLabel, parts: fc.array(tie("tree"), { maxLength: 3 }) }),
    fc.record({
      label: anyLabel,
      parts: fc
        .dictionary(fc.constantFrom("a", "b", "to"), tie("tree"))
        .map((parts) => new Map(Object.entries(parts))),
    }),
  ),
}));

export const anyTree: fc.Arbitrary<LabelTree> = tree;
