/**
 * Failures of the file system as one line with a fix. A source may vanish while it is read: a disk
 * is unplugged, a network mount goes away, somebody cleans up.
 */

import { NutshellError } from "../../../error.ts";

interface Rule {
  readonly rule: string;
  readonly got: string;
  readonly fix: string;
}

const notAllowed: Rule = {
  rule: "a source must be readable",
  got: "no permission",
  fix: "Give yourself the right to read it (chmod +r).",
};

const noFile: Rule = {
  rule: "a path must lead to a file or folder",
  got: "a file in the place of a folder",
  fix: "Check the path.",
};

/** Which rule is broken and what helps, by error number. */
const rules: Readonly<Record<string, Rule>> = {
  ENOENT: {
    rule: "a source must be there until it is read",
    got: "nothing there",
    fix:
      "Check the path; if the file went away during the run, put it back and run again: what " +
      "was finished stays.",
  },
  ESTALE: {
    rule: "a source must be there until it is read",
    got: "a network folder that was replaced",
    fix: "Mount it again and run again: what was finished stays.",
  },
  EIO: {
    rule: "a source must be readable to its end",
    got: "a read error",
    fix: "Check the disk or the network folder, then run again: what was finished stays.",
  },
  EACCES: notAllowed,
  EPERM: notAllowed,
  ELOOP: {
    rule: "a path must lead to a file or folder",
    got: "symbolic links in a circle",
    fix: "Remove one of them.",
  },
  ENOTDIR: noFile,
  EMFILE: {
    rule: "files must open",
    got: "too many open ones",
    fix: "Raise the limit of open files (ulimit -n).",
  },
};

const otherwise: Rule = { rule: "a source must be readable", got: "", fix: "Check its disk." };

/** @returns DATA for a failure of reading `path`; other errors as they are */
export function readError(path: string, cause: unknown): unknown {
  const { code, syscall, message } = cause as NodeJS.ErrnoException;
  if (cause instanceof NutshellError || code === undefined || syscall === undefined) return cause;
  const { rule, got, fix } = rules[code] ?? { ...otherwise, got: oneLine(message) };
  return badFile(path, rule, `${got} (${code})`, fix, cause);
}

export function badFile(
  path: string,
  rule: string,
  got: string,
  fix: string,
  cause?: unknown,
): NutshellError {
  const options = cause === undefined ? undefined : { cause };
  return new NutshellError("DATA", `${path}: ${rule}, got ${got}. ${fix}`, options);
}

/** Foreign messages may hold line breaks and long pieces of the data. */
export function oneLine(message: string, most = 120): string {
  return message.replace(/\s+/g, " ").trim().slice(0, most);
}
