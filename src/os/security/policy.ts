/**
 * The policy: a pure table over labels. What an argument is to the world outside decides what its
 * label must be.
 */
import { type Capability, covers, isCapability } from "./capability.ts";
import { facts, type Item, itemsOf, type Scene, setScene } from "./facts.ts";
import { kindsOfSources, namesOfSources, plainName } from "./origin.ts";
import type { PolicyRequest, Reason, Verdict } from "./policy-request.ts";
import { table } from "./policy-table.ts";

export type {
  Endorsement,
  PolicyRequest,
  Reason,
  SinkKind,
  Verdict,
} from "./policy-request.ts";

export type Policy = (request: PolicyRequest) => Verdict;

/** From lenient to strict: of several verdicts the last one holds. */
const strictness: readonly Verdict["kind"][] = ["allow", "ask", "endorse", "deny"];

/** The verdict of the default table. Total: a request that cannot be judged is denied. */
export function decide(request: PolicyRequest): Verdict {
  try {
    const scene = setScene(request);
    return strictest(itemsOf(scene).map((item) => judge(item, scene)));
  } catch {
    return strictest([{ rule: "malformed", kind: "deny", text: "the call cannot be judged" }]);
  }
}

/** What speaks against the call, in one line without a word of a stranger: a model may see it. */
export function objections({ reasons }: Verdict): string {
  const against = reasons.filter(({ kind }) => kind !== "allow").map(({ text }) => text);
  return against.join("; ");
}

/**
 * What one card has to ask, so that one yes is enough for the call: a word for the single value that
 * all hangs on, which then holds for the process, else approval of this very call, once.
 */
export function cardFor({
  reasons,
}: Verdict):
  | { readonly kind: "endorse"; readonly argument: string }
  | { readonly kind: "approve" } {
  const against = reasons.filter(({ kind }) => kind !== "allow");
  const names = new Set(against.map(({ kind, argument }) => (kind === "endorse" ? argument : "")));
  const [argument] = names;
  return names.size === 1 && argument ? { kind: "endorse", argument } : { kind: "approve" };
}

/** A rule of one's own, for a child or an app: can only make a verdict stricter. */
export interface ExtraRule {
  readonly rule: string;
  /** Of which calls it speaks: a pattern as in `Capability`. */
  readonly call: string;
  /** Where it does not: the arguments that may go on as before. */
  readonly except?: Capability["where"];
  readonly verdict: "ask" | "deny";
}

export function isExtraRule(value: unknown): value is ExtraRule {
  if (typeof value !== "object" || value === null) return false;
  const { rule, call, except, verdict, ...other } = value as Record<string, unknown>;
  const known = typeof rule === "string" && (verdict === "ask" || verdict === "deny");
  const limits = except === undefined ? { call } : { call, where: except };
  return known && isCapability(limits) && Object.keys(other).length === 0;
}

/** The policy with further rules; what cannot be read of a rule makes it speak of every call. */
export function narrowed(policy: Policy, extra: readonly ExtraRule[]): Policy {
  return (request) => {
    const verdict = policy(request);
    const added = extra.filter((rule) => speaksOf(rule, request)).map(toReason);
    return strictest([...added, ...verdict.reasons]);
  };
}

function toReason({ rule, verdict }: ExtraRule): Reason {
  return { rule: plainName(rule), kind: verdict, text: "a rule that was added speaks of it" };
}

function speaksOf({ call, except }: ExtraRule, request: PolicyRequest): boolean {
  const capability = except === undefined ? { call } : { call, where: except };
  if (!isCapability(capability)) return true;
  if (!covers([{ call }], request.call, {}, 0)) return false;
  return except === undefined || !covers([capability], request.call, request.args.value, 0);
}

function judge(item: Item, scene: Scene): Reason {
  const section = table.find(({ judges, access }) => {
    return judges === item.judges && access.includes(scene.access);
  });
  const found = section?.rules.find(([, when]) => facts[when](item, scene));
  if (found === undefined) throw new TypeError(`no rule for ${item.judges}`);
  const [name, , kind, text] = found;
  const rule = `${item.judges.replaceAll(" ", "-")}.${name}`;
  const { argument } = item;
  const what = argument === undefined ? item.judges : `${item.judges} "${plainName(argument)}"`;
  return {
    ...{ rule, kind, text: `${what} ${text}${kind === "allow" ? "" : kindsOfSources(item.label)}` },
    ...(argument === undefined ? {} : { argument }),
    ...(kind === "allow" ? {} : { sources: namesOfSources(item.label) }),
  };
}

/** All that spoke, each once, the strictest first. */
function strictest(reasons: readonly Reason[]): Verdict {
  const unlike = new Map(reasons.map((one) => [`${one.rule} ${one.argument} ${one.kind}`, one]));
  const sorted = [...unlike.values()].sort((a, b) => {
    return strictness.indexOf(b.kind) - strictness.indexOf(a.kind);
  });
  return { kind: sorted[0]?.kind ?? "deny", reasons: sorted };
}
