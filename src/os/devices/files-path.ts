/**
 * Paths as calls name them: relative to the process's own tree, or `proc:PID/…` for another's.
 * Invariant: what is returned has no empty, `.` or `..` segment, no name that some file system
 * takes for another one, and none that a program outside reads as its orders (dotfiles, hooks),
 * whether it exists or not. Nothing here looks at a disk.
 */
import { DeviceError } from "../kernel/device-error.ts";

export interface FilePath {
  /** Of the process whose tree it is; absent: the caller's own. */
  readonly pid?: number;
  /** Normalised; "" = the tree's root. */
  readonly path: string;
}

const MAX_BYTES = 4096;
const MAX_SEGMENT_BYTES = 255;
const MAX_DEPTH = 64;

/** Read as instructions or rights by later runs: for people to write, not for processes. */
const ownNames: ReadonlySet<string> = new Set([
  ...["app.json", "agents.md", "claude.md", "gemini.md", "skill.md", "nutshell.json"],
]);

/** Controls, and characters that are not seen (bidi, zero width, tags): two names look as one. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

interface Rule {
  readonly text: string;
  readonly holds: (segment: string) => boolean;
}

// Each is a way in which two spellings were one file, or one name a program's orders.
const rules: readonly Rule[] = [
  { text: "must not climb (..)", holds: (segment) => segment !== ".." },
  { text: "must hold visible characters only", holds: (segment) => !unseen.test(segment) },
  { text: "must not hold \\ or :", holds: (segment) => !/[\\:]/.test(segment) },
  { text: "must not end in a dot or space", holds: (segment) => !/[. ]$/.test(segment) },
  { text: "must not begin with a dot", holds: (segment) => !/^[. ]/.test(fold(segment)) },
  { text: "must not be git's by another name", holds: (segment) => !/^git~\d/.test(fold(segment)) },
  { text: `must have ${MAX_SEGMENT_BYTES} bytes at most`, holds: isShort },
];

/** @throws DeviceError naming the rule and the segment's place, never its text */
export function parseFilePath(call: string, text: string): FilePath {
  if (Buffer.byteLength(text) > MAX_BYTES) throw refused(call, `have ${MAX_BYTES} bytes at most`);
  const [, pid, own] = /^(?:proc:(\d{1,15})(?:\/|$))?(.*)$/s.exec(text) ?? [];
  const rest = own ?? "";
  if (rest.startsWith("/")) throw refused(call, "begin below the root, without /");
  const segments = rest.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.length > MAX_DEPTH) throw refused(call, `have ${MAX_DEPTH} segments at most`);
  for (const [i, segment] of segments.entries()) {
    const fault = findNameFault(segment);
    if (fault !== undefined) throw refused(call, `obey: segment ${i + 1} ${fault}`);
  }
  const path = segments.join("/");
  return pid === undefined ? { path } : { pid: Number(pid), path };
}

/** @returns the rule that a name breaks, if any */
export function findNameFault(segment: string): string | undefined {
  return rules.find(({ holds }) => !holds(segment))?.text;
}

/** @throws DeviceError for names that later runs take as instructions, and unnormalised ones */
export function checkWritable(call: string, path: string): void {
  if (path === "") throw refused(call, "name a file, not the root");
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (ownNames.has(fold(name)))
    throw refused(call, "not be a file of instructions or settings: those are for people to write");
  if (path !== path.normalize("NFC")) throw refused(call, "be in Unicode's form NFC");
}

/** As file systems compare that know no case, or drop what is not seen. */
function fold(segment: string): string {
  return segment
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "");
}

function isShort(segment: string): boolean {
  return Buffer.byteLength(segment) <= MAX_SEGMENT_BYTES;
}

function refused(call: string, rule: string): DeviceError {
  return new DeviceError(`${call}: a path must ${rule}. Paths are relative, as in notes/today.md.`);
}
