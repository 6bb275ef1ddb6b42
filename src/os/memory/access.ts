/**
 * The one place where a ref becomes a text: only for who has it in its page table, is in a space
 * that is open to it, or holds a capability that names the space. Another owner's is never read.
 */
import { DeviceError } from "../kernel/device-error.ts";
import { mayRead } from "../security/label.ts";
import { wholeLabel } from "../security/labelled.ts";
import type { Machine } from "./draft.ts";
import { type Asker, isGranted, noSuchPage, openSpaces, parseRef, refOf } from "./space.ts";
import { findText, fromTextRow, type StoredText } from "./text-store.ts";
import type { Loaded } from "./window-store.ts";

export interface Access extends Machine {
  readonly ancestors: (pid: number) => Promise<readonly number[]>;
}

/** @throws DeviceError: not there, not one's own, or forgotten */
export async function openText(
  access: Access,
  call: string,
  ref: string,
  asker: Asker,
  { known }: Pick<Loaded, "known">,
): Promise<StoredText> {
  const parsed = parseRef(ref);
  const row = parsed && (await findText(access.database.pool, parsed));
  if (row === undefined || row.owner !== asker.owner) throw noSuchPage(call);
  const text = fromTextRow(row);
  const mapped = known.has(refOf(text));
  if (!mapped && !(await mayEnter(access, text.space, call, asker))) throw noSuchPage(call);
  // The owner may have been taken off the readers since, by whom the text was shared.
  if (!mayRead(wholeLabel(text.labels).readers, new Set([asker.owner]))) throw noSuchPage(call);
  if (row.forgotten === null) return text;
  throw new DeviceError(
    `${call}: a page must not be forgotten, got one that is kept apart. ` +
      "memory.forget with undo brings it back.",
  );
}

async function mayEnter(
  { ancestors }: Access,
  space: string,
  call: string,
  asker: Asker,
): Promise<boolean> {
  if (isGranted(space, call, asker)) return true;
  return openSpaces(asker.pid, await ancestors(asker.pid)).includes(space);
}

/** The spaces of a search: the asked one, or all that are open. @throws DeviceError CAPABILITY */
export async function spacesFor(
  { ancestors }: Access,
  call: string,
  space: string | undefined,
  asker: Asker,
): Promise<readonly string[]> {
  const open = openSpaces(asker.pid, await ancestors(asker.pid));
  if (space === undefined) return open;
  if (open.includes(space) || isGranted(space, call, asker)) return [space];
  throw notGranted(call);
}

/** Where it may put away and take back: its own, what it shares, and what a capability names. */
export function checkWritable(call: string, space: string, asker: Asker): void {
  const own = openSpaces(asker.pid, []);
  if (!own.includes(space) && !isGranted(space, call, asker)) throw notGranted(call);
}

function notGranted(call: string): DeviceError {
  return new DeviceError(
    `${call}: a capability must name the space, got none that does. Grant ${call} where space is it.`,
    { code: "CAPABILITY" },
  );
}
