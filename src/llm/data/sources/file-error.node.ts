/**
 * Failures of the file system as one line with a fix. A source may vanish while it is read: a disk
 * is unplugged, a network mount goes away, somebody cleans up.
 */

import { NutshellError } from "../../../error.ts";

/** Which rule is broken and what helps, by error number. */
const rules: Readonly<Record<string, readonly [rule: string, fix: string]>> = {
  ENOENT: [
    "a source must be there while it is read",
    "Check the path; if the file vanished during the run, put it back and run again: what was " +
      "finished stays.",
  ],
  ESTALE: [
    "a source must stay there while it is read",
    "Its network folder was replaced: mount it again and run again; what was finished stays.",
  ],
  EIO: [
    "a source must be readable to its end",
    "Check the disk or the network folder, then run again: what was finished stays.",
  ],
  EACCES: ["a source must be readable", "Give yourself the right to read it (chmod +r)."],
  EPERM: ["a source must be readable", "Give yourself the right to read it (chmod +r)."],
  ELOOP: ["a path must lead to a file", "Its symbolic links go in a circle: remove one."],
  ENOTDIR: ["a path must lead to a file", "A file stands where the path has a folder."],
  EISDIR: ["a source of this format must be a file", "Pass a file, or name it under paths."],
  EMFILE: ["files must open", "Raise the limit of open files (ulimit -n)."],
};

/** @returns DATA for a failure of reading `path`; other errors as they are */
export function readError(path: string, cause: unknown): unknown {
  const { code, syscall, message } = cause as NodeJS.ErrnoException;
  if (cause instanceof NutshellError || code === undefined || syscall === undefined) return cause;
  const [rule, fix] = rules[code] ?? ["a source must be readable", "Check the file and its disk."];
  const got = rules[code] === undefined ? `${code}: ${oneLine(message)}` : code;
  return badFile(path, rule, got, fix, cause);
}

export function badFile(
  path: string,
  rule: string,
  got: string,
  fix: string,
  cause?: unknown,
): NutshellError {
  return new NutshellError("DATA", `${path}: ${rule}, got ${got}. ${fix}`, { cause });
}

/** Foreign messages may hold line breaks and long pieces of the data. */
export function oneLine(message: string, most = 120): string {
  return message.replace(/\s+/g, " ").trim().slice(0, most);
}
