/**
 * The kernel's gates in memory, in the kernel's order: row exists → arguments → capability → policy
 * → approval → budget → driver. The code judged here is the product's own (`covers`, `decide`, the
 * seals of approvals, labels and joins); journal, database and processes are left out, so that
 * hundreds of thousands of calls can be judged in a minute.
 */
import { Ajv, type ValidateFunction } from "ajv";
import { sealApproval, verifyApproval } from "../../src/os/security/approval.ts";
import { digest } from "../../src/os/security/canonical.ts";
import { type Capability, covers } from "../../src/os/security/capability.ts";
import {
  bottom,
  influenceBits,
  join,
  type Label,
  labelOf,
  type Source,
} from "../../src/os/security/label.ts";
import { type Json, type Labelled, raise, wholeLabel } from "../../src/os/security/labelled.ts";
import {
  cardFor,
  decide,
  type Endorsement,
  type PolicyRequest,
  type Verdict,
} from "../../src/os/security/policy.ts";
import type { ToolRow } from "./sinks.ts";
import type { JsonObject } from "./suite-format.ts";
import type { DoneCall, World } from "./world.ts";

/** Who is asked: sees the exact call, answers yes or no. */
export type Person = (call: string, args: JsonObject) => boolean;

export interface GateOptions {
  readonly world: World;
  readonly userTurn: string;
  readonly owner: string;
  readonly capabilities: readonly Capability[];
  readonly person: Person;
  /** Of influence, before a person is asked. */
  readonly influenceBits: number;
  /** Calls that may be made. */
  readonly budget: number;
  /** False: whatever passes the schema runs. Only to show what the policy is good for. */
  readonly policy: boolean;
}

export type GateOutcome =
  | { readonly status: "ok"; readonly value: Labelled; readonly poisoned: boolean }
  | { readonly status: "refused"; readonly code: RefusalCode; readonly why: string };

export type RefusalCode = "NO_CALL" | "ARGUMENTS" | "CAPABILITY" | "POLICY" | "APPROVAL" | "BUDGET";

export interface Gate {
  call(name: string, args: Labelled, pc: Label): GateOutcome;
  readonly counts: GateCounts;
}

export interface GateCounts {
  calls: number;
  /** Calls that could change something or leave the house. */
  readonly consequences: { readonly call: DoneCall; ran: boolean }[];
  /** A person was shown a card. */
  asked: number;
  approved: number;
  /** Spent in all gates together. */
  milliseconds: number;
  /** Most bits that an untrusted answer could steer in one allowed consequence. */
  influence: number;
}

const KEY = new Uint8Array(32).fill(7);
const HOUR = 3_600_000;
const PROTOTYPE_NAMES = /"(?:__proto__|constructor|prototype)":/;
const ajv = new Ajv({ strict: false, logger: false });
const validators = new WeakMap<JsonObject, ValidateFunction | null>();

export function createGate(options: GateOptions): Gate {
  const counts: GateCounts = {
    calls: 0,
    consequences: [],
    asked: 0,
    approved: 0,
    milliseconds: 0,
    influence: 0,
  };
  const stores = storesOf(options.world.rows.values());
  const endorsed: Endorsement[] = [];
  const call = (name: string, args: Labelled, pc: Label): GateOutcome => {
    counts.calls += 1;
    const row = options.world.rows.get(name);
    const consequence = { call: { function: name, args: args.value as JsonObject }, ran: false };
    if (row?.access !== "read") counts.consequences.push(consequence);
    const start = performance.now();
    const refusal = refuse(options, row, name, args, pc, counts, stores, endorsed);
    counts.milliseconds += performance.now() - start;
    if (refusal !== undefined || row === undefined) {
      return refusal ?? no("NO_CALL", name);
    }
    consequence.ran = true;
    if (row.access !== "read") {
      const label = join(wholeLabel(args.labels), pc);
      counts.influence = Math.max(counts.influence, influenceBits(label));
    }
    const answer = options.world.run(name, args.value as JsonObject);
    const own = answer.labels ?? { label: defaultLabel(name, options.owner) };
    const labels = raise(own, join(wholeLabel(args.labels), pc));
    const value = { value: answer.value, labels };
    return { status: "ok", value, poisoned: answer.poisoned === true };
  };
  return { call, counts };
}

function refuse(
  options: GateOptions,
  row: ToolRow | undefined,
  name: string,
  args: Labelled,
  pc: Label,
  counts: GateCounts,
  stores: readonly Source[],
  endorsed: Endorsement[],
): GateOutcome | undefined {
  if (row === undefined) return no("NO_CALL", name);
  if (!fits(row, args.value)) return no("ARGUMENTS", name);
  if (!covers(options.capabilities, name, args.value, 0)) return no("CAPABILITY", name);
  if (counts.calls > options.budget) return no("BUDGET", name);
  if (!options.policy) return undefined;
  const request = toRequest(options, row, args, pc, stores);
  return judge(request, options.person, counts, endorsed);
}

/** As the kernel asks: a word for one value, which holds for the process, or for this very call. */
function judge(
  request: PolicyRequest,
  person: Person,
  counts: GateCounts,
  endorsed: Endorsement[],
): GateOutcome | undefined {
  const { call } = request;
  const args = request.args.value as JsonObject;
  const verdict = decide({ ...request, endorsed });
  if (verdict.kind === "allow") return undefined;
  if (verdict.kind === "deny") return no("POLICY", explain(verdict));
  counts.asked += 1;
  if (!person(call, args)) return no("APPROVAL", explain(verdict));
  counts.approved += 1;
  const card = cardFor(verdict);
  if (card.kind === "approve") return isSealed(request) ? undefined : no("APPROVAL", call);
  const { argument } = card;
  endorsed.push({ call, argument, digest: digest(args[argument] ?? null) });
  const again = decide({ ...request, endorsed });
  return again.kind === "allow" ? undefined : no("APPROVAL", explain(again));
}

/** The approval as the kernel keeps it: bound to the exact call, and checked before it runs. */
function isSealed(request: PolicyRequest): boolean {
  const { call, args, pc } = request;
  const sealed = { kind: "approve", pid: 1, callNumber: 1, call, args, pc, expires: HOUR } as const;
  return verifyApproval(KEY, sealed, sealApproval(KEY, sealed), 0);
}

function toRequest(
  options: GateOptions,
  row: ToolRow,
  args: Labelled,
  pc: Label,
  stores: readonly Source[],
): PolicyRequest {
  const { owner, capabilities, userTurn, influenceBits } = options;
  const { name: call, access, irreversible, sinks } = row;
  return {
    ...{ call, access, irreversible, sinks, args, pc, owner, capabilities, userTurn },
    ...{ influenceBits, stores, endorsed: [] },
  };
}

function fits(row: ToolRow, value: Json): boolean {
  const text = JSON.stringify(value);
  if (text.length > 2 ** 20 || PROTOTYPE_NAMES.test(text)) return false;
  if (!validates(row.parameters, value)) return false;
  const known = Object.keys((row.parameters.properties ?? {}) as JsonObject);
  return Object.keys(value as JsonObject).every((key) => known.includes(key));
}

/** As the kernel has it: what stays in the house is the owner's own, to look values up in. */
export function storesOf(rows: Iterable<ToolRow>): Source[] {
  const local = [...rows].filter(({ access }) => access !== "egress");
  return ["file:*", ...local.map(({ name }): Source => `tool:${name}`)];
}

/** A server's schema may be none, or refer to itself without end: then it refuses every call. */
function validates(schema: JsonObject, value: Json): boolean {
  try {
    return validatorOf(schema)?.(value) === true;
  } catch {
    validators.set(schema, null);
    return false;
  }
}

function validatorOf(schema: JsonObject): ValidateFunction | null {
  const cached = validators.get(schema);
  if (cached !== undefined) return cached;
  let made: ValidateFunction | null = null;
  try {
    made = ajv.compile(schema);
  } catch {
    made = null;
  }
  validators.set(schema, made);
  return made;
}

function defaultLabel(name: string, owner: string): Label {
  return labelOf(`tool:${name}`, new Set([owner]));
}

function explain(verdict: Verdict): string {
  return verdict.reasons.map((reason) => reason.text).join("; ");
}

function no(code: RefusalCode, why: string): GateOutcome {
  return { status: "refused", code, why };
}

/** A value of a hijacked model: everything in its context may have shaped it. */
export function shapedBy(value: Json, context: Label = bottom): Labelled {
  return { value, labels: { label: context } };
}
