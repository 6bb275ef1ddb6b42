/**
 * Reads a text below a folder: no link in its path leads elsewhere, its size is bounded, and it is
 * UTF-8. Apps, instructions and skills are read with it.
 */
import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { NutshellError } from "../../error.ts";

/** @returns undefined when nothing is there. @throws NutshellError MANIFEST */
export async function tryReadInner(
  folder: string,
  path: string,
  mostBytes: number,
): Promise<string | undefined> {
  const top = await realpath(folder).catch(() => undefined);
  const real = await realpath(join(folder, path)).catch(() => undefined);
  if (top === undefined || real === undefined) return undefined;
  const where = join(folder, path);
  if (!real.startsWith(top + sep))
    throw fault(where, "must lie in its folder, got a link that leads out");
  // A pipe without a writer would hold up a thread for ever: so it opens, and is told for what it is.
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw fault(where, "must be a file");
    if (found.size > mostBytes) throw fault(where, `must have ${mostBytes} bytes at most`);
    const bytes = await file.readFile();
    if (!isUtf8(bytes)) throw fault(where, "must be UTF-8 text");
    return bytes.toString("utf8");
  } finally {
    await file.close();
  }
}

function fault(where: string, rule: string): NutshellError {
  return new NutshellError("MANIFEST", `${where}: a text ${rule}.`);
}
