/**
 * What a workspace says to whoever works in it: `AGENTS.md` of its root and of the folders down to
 * where the work is, the nearest last, since the nearest wins. Where a folder has none, `CLAUDE.md`
 * or `GEMINI.md` stands in. Foreign text, unless its person vouches for the workspace.
 */
import { join } from "node:path";
import { tryReadInner } from "./inner-file.node.ts";
import { isInnerPath } from "./manifest.ts";

export interface WorkspaceInstruction {
  /** Relative to the workspace. */
  readonly path: string;
  readonly text: string;
}

const NAMES = ["AGENTS.md", "CLAUDE.md", "GEMINI.md"];
const MAX_BYTES = 128 << 10;
/** A workspace is foreign: what is odd about it must not keep anybody from working in it. */
const UNREADABLE = "(not read: it leads out of the workspace, is too large, or is no text)";

/** @param at folder or file below the root, "" = the root itself. */
export async function readWorkspaceInstructions(
  root: string,
  at: string = "",
): Promise<readonly WorkspaceInstruction[]> {
  const found: WorkspaceInstruction[] = [];
  for (const folder of foldersDownTo(at)) {
    for (const name of NAMES) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const text = await tryReadInner(root, path, MAX_BYTES).catch(() => UNREADABLE);
      if (text === undefined) continue;
      found.push({ path, text });
      break;
    }
  }
  return found;
}

function foldersDownTo(at: string): string[] {
  if (at === "" || !isInnerPath(at)) return [""];
  const names = at.split("/");
  return ["", ...names.map((_, i) => join(...names.slice(0, i + 1)))];
}
