/**
 * One text that is being written under a grammar. It holds where the automaton stands and, where
 * names of keys are free, which are taken; nothing else, so a fork copies two references.
 */
import { NutshellError } from "../../../error.ts";
import type { Constraint } from "./constraint.ts";
import { type KeyLedger, readByte } from "./key-ledger.ts";
import type { Pushdown, Situation } from "./pushdown.ts";
import type { MaskOf } from "./token-masks.ts";

export interface Language {
  readonly pushdown: Pushdown;
  readonly maskOf: MaskOf;
  tokenBytes(id: number): Uint8Array;
  /** Of the codec. */
  readonly vocabSize: number;
}

interface Place {
  readonly situation: Situation;
  /** Absent where no name is free. */
  readonly ledger: KeyLedger | undefined;
}

export function beginText(language: Language, place: Place): Constraint {
  let here = place;
  let mask: Uint32Array | undefined;
  return {
    allowed: () => (mask ??= allowedAt(language, here)),
    accept(id) {
      here = after(language, here, id) ?? refuse(language, id);
      mask = undefined;
    },
    get canEnd() {
      return here.situation.canEnd;
    },
    get mustEnd() {
      const { canEnd, heads } = here.situation;
      return canEnd && heads.length === 0;
    },
    fork: () => beginText(language, here),
  };
}

function allowedAt(language: Language, { situation, ledger }: Place): Uint32Array {
  const { bits, suspects } = language.maskOf(language.pushdown, situation);
  if (!ledger) return bits;
  const taken = suspects.filter((id) => !readAll(ledger, language.tokenBytes(id)));
  if (taken.length === 0) return bits;
  const free = bits.slice();
  for (const id of taken) free[id >> 5] = (free[id >> 5] as number) & ~(1 << (id & 31));
  return free;
}

function readAll(ledger: KeyLedger, bytes: Uint8Array): KeyLedger | undefined {
  let now: KeyLedger | undefined = ledger;
  for (const byte of bytes) now = now && readByte(now, byte);
  return now;
}

function after(language: Language, { situation, ledger }: Place, id: number): Place | undefined {
  if (!(Number.isInteger(id) && id >= 0 && id < language.vocabSize)) return undefined;
  const bytes = language.tokenBytes(id);
  if (bytes.length === 0) return undefined;
  let to: Situation | undefined = situation;
  for (const byte of bytes) to = to && language.pushdown.step(to, byte);
  const keys = ledger && readAll(ledger, bytes);
  return to && (!ledger || keys) ? { situation: to, ledger: keys } : undefined;
}

function refuse(language: Language, id: number): never {
  const range = `[0, ${language.vocabSize})`;
  throw new NutshellError(
    "CONFIG",
    `constraint: a token must be one that allowed() names, in ${range}, got ${id}.`,
  );
}
