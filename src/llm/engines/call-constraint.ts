/**
 * What may stand between the marks of a call, `NAME JSON`: the name of an offered tool, a space, and
 * arguments that its schema allows. The two are one text to the vocabulary: a token may hold the end
 * of the name and the beginning of the JSON, as in training.
 */
import { NutshellError } from "../../error.ts";
import type { Constraint, ConstraintCompiler } from "../inference/constraint/constraint.ts";
import type { ToolDefinition } from "../inference/engine.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { CallFormat } from "./chat-format.ts";

/** One tool: the bytes of its name and the space, then its arguments. */
interface Callable {
  readonly head: Uint8Array;
  readonly begin: () => Constraint;
}

/** A vocabulary by its tokens' first bytes; made when a call is first constrained. */
interface Heads {
  readonly byFirst: readonly (readonly number[])[];
  /** Ids of single bytes. */
  readonly byteIds: readonly (number | undefined)[];
}

export function createCallConstraints(tokenizer: Tokenizer): CallFormat["constrain"] {
  let heads: Heads | undefined;
  return (tools, compiler) => {
    heads ??= indexHeads(tokenizer);
    const callables = tools.map((tool) => toCallable(tool, compiler));
    const scene: Scene = { tokenizer, heads, masks: new Map() };
    return () => createCall(scene, { open: callables, at: 0, json: undefined });
  };
}

const NAME = /^[\w.-]{1,64}$/;

function toCallable({ name, parameters }: ToolDefinition, compiler: ConstraintCompiler): Callable {
  if (!NAME.test(name))
    throw new NutshellError(
      "CONFIG",
      "generate: a tool's name must be 1 to 64 letters, digits, _ . or -, " +
        `got ${JSON.stringify(name)}.`,
    );
  const schema = { type: "object", ...parameters };
  return { head: new TextEncoder().encode(`${name} `), begin: compiler.jsonSchema(schema) };
}

function indexHeads(tokenizer: Tokenizer): Heads {
  const byFirst: number[][] = Array.from({ length: 256 }, () => []);
  const byteIds: (number | undefined)[] = new Array(256).fill(undefined);
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = tokenizer.tokenBytes(id);
    const [first] = bytes;
    if (first === undefined) continue;
    byFirst[first]?.push(id);
    if (bytes.length === 1) byteIds[first] ??= id;
  }
  return { byFirst, byteIds };
}

interface Scene {
  readonly tokenizer: Tokenizer;
  readonly heads: Heads;
  /** Of names in the making, by what is left of which. */
  readonly masks: Map<string, Uint32Array>;
}

interface CallState {
  /** What it may yet be a call of; they begin with the same `at` bytes, which are said. */
  readonly open: readonly Callable[];
  readonly at: number;
  /** The arguments, once the name is whole. */
  readonly json: Constraint | undefined;
}

function createCall(scene: Scene, state: CallState): Constraint {
  let { open, at, json } = state;

  function acceptName(id: number): void {
    if (!isSet(nameMask(scene, open, at), id)) throw refused(id);
    const bytes = scene.tokenizer.tokenBytes(id);
    open = open.filter(({ head }) => agrees(head, at, bytes));
    at += bytes.length;
    const [named] = open;
    if (named === undefined || at < named.head.length) return;
    json = named.begin();
    tryBytes(json, bytes.subarray(bytes.length - (at - named.head.length)), scene.heads);
  }

  return {
    allowed: () => json?.allowed() ?? nameMask(scene, open, at),
    accept: (id) => (json === undefined ? acceptName(id) : json.accept(id)),
    get canEnd() {
      return json?.canEnd ?? false;
    },
    get mustEnd() {
      return json?.mustEnd ?? false;
    },
    fork: () => createCall(scene, { open, at, json: json?.fork() }),
  };
}

function nameMask(scene: Scene, open: readonly Callable[], at: number): Uint32Array {
  const key = `${at} ${open.map(({ head }) => head.join()).join(" ")}`;
  const known = scene.masks.get(key);
  if (known !== undefined) return known;
  const mask = new Uint32Array(Math.ceil(scene.tokenizer.vocabSize / 32));
  for (const callable of open) allowHead(mask, scene, callable, at);
  scene.masks.set(key, mask);
  return mask;
}

/** Tokens within what is left of the name, and such that go on into its arguments. */
function allowHead(mask: Uint32Array, scene: Scene, { head, begin }: Callable, at: number): void {
  const left = head.length - at;
  const probe = begin();
  for (const id of scene.heads.byFirst[head[at] as number] ?? []) {
    const bytes = scene.tokenizer.tokenBytes(id);
    if (!agrees(head, at, bytes)) continue;
    const rest = bytes.subarray(left);
    const goesOn = rest.length === 0 || canBegin(probe, rest, scene.heads);
    if (goesOn && tryBytes(begin(), rest, scene.heads)) setBit(mask, id);
  }
}

function agrees(head: Uint8Array, at: number, bytes: Uint8Array): boolean {
  return bytes.every((byte, i) => at + i >= head.length || head[at + i] === byte);
}

/** The first byte fits: spares most tokens a constraint of their own. */
function canBegin(json: Constraint, bytes: Uint8Array, { byteIds }: Heads): boolean {
  const id = byteIds[bytes[0] as number];
  return id !== undefined && isSet(json.allowed(), id);
}

/** @returns false at the first byte that may not stand there */
function tryBytes(json: Constraint, bytes: Uint8Array, { byteIds }: Heads): boolean {
  for (const byte of bytes) {
    const id = byteIds[byte];
    if (id === undefined || !isSet(json.allowed(), id)) return false;
    json.accept(id);
  }
  return true;
}

function isSet(mask: Uint32Array, id: number): boolean {
  return (((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 1;
}

function setBit(mask: Uint32Array, id: number): void {
  mask[id >> 5] = (mask[id >> 5] as number) | (1 << (id & 31));
}

function refused(id: number): NutshellError {
  return new NutshellError(
    "CONFIG",
    `generate: a call's name must be one of the offered, got token ${id}.`,
  );
}
