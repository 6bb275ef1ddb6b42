/**
 * What is known of a value: which sources shaped it (integrity), who may see it (readers), and how
 * many bits of it an untrusted source could have chosen (influence). Labels only rise: every value
 * made of others carries their join, and nothing here lowers one. Endorsement is a fact of its own
 * (`approval.ts`), never a smaller label.
 *
 * Pure data: no I/O, no clock, runs in browsers.
 */

/** `user` typed it, `config` is the owner's; everything else can be somebody's attack. */
export type Source =
  | "user"
  | "config"
  | `tool:${string}`
  | `origin:${string}`
  | `file:${string}`
  | `agent:${string}`
  | `model:${string}`;

/** Principals who may see a value, by name; "public" = anybody. */
export type Readers = "public" | ReadonlySet<string>;

export interface Label {
  readonly integrity: ReadonlySet<Source>;
  readonly readers: Readers;
  /** Bits by question: what each bounded answer of untrusted origin could steer, counted once. */
  readonly influence: ReadonlyMap<string, number>;
}

const nobody: ReadonlyMap<string, number> = new Map();

/** No source at all and public: the unit of `join`. */
export const bottom: Label = { integrity: new Set(), readers: "public", influence: nobody };

/** Written by the user for anybody to see: literals of a plan that the user's words made. */
export const fromUser: Label = {
  integrity: new Set(["user"]),
  readers: "public",
  influence: nobody,
};

export function labelOf(source: Source, readers: Readers = "public"): Label {
  return { integrity: new Set([source]), readers, influence: nobody };
}

/** The label of what is made of both: all sources, common readers, all influence. */
export function join(a: Label, b: Label): Label {
  if (a === b || b === bottom) return a;
  if (a === bottom) return b;
  return {
    integrity: union(a.integrity, b.integrity),
    readers: meet(a.readers, b.readers),
    influence: mergeMax(a.influence, b.influence),
  };
}

export function joinAll(labels: Iterable<Label>): Label {
  let all = bottom;
  for (const label of labels) all = join(all, label);
  return all;
}

/** Who may see both. */
export function meet(a: Readers, b: Readers): Readers {
  if (a === "public") return b;
  if (b === "public" || a === b) return a;
  return new Set([...a].filter((reader) => b.has(reader)));
}

/** Every source is the user or the owner's configuration. */
export function isTrusted(label: Label): boolean {
  for (const source of label.integrity) if (source !== "user" && source !== "config") return false;
  return true;
}

/** Everybody in `audience` may see it. */
export function mayRead(readers: Readers, audience: Readers): boolean {
  if (readers === "public") return true;
  if (audience === "public") return false;
  for (const one of audience) if (!readers.has(one)) return false;
  return true;
}

/** Bits that untrusted answers could steer, over all questions. */
export function influenceBits(label: Label): number {
  let bits = 0;
  for (const one of label.influence.values()) bits += one;
  return bits;
}

function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  if (isSubset(b, a)) return a;
  return isSubset(a, b) ? b : new Set([...a, ...b]);
}

function isSubset<T>(small: ReadonlySet<T>, large: ReadonlySet<T>): boolean {
  if (small.size > large.size) return false;
  for (const one of small) if (!large.has(one)) return false;
  return true;
}

function mergeMax(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  if (b.size === 0) return a;
  if (a.size === 0) return b;
  const all = new Map(a);
  for (const [question, bits] of b) all.set(question, Math.max(bits, all.get(question) ?? 0));
  return all;
}
