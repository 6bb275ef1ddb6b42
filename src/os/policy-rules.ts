/**
 * An owner's own rules: `policy.json` in the daemon's folder, a list of rules that can only make the
 * policy stricter. Read once, at boot; a file that breaks a rule stops the boot rather than be
 * ignored.
 *
 *     [{ "rule": "no-deletions", "call": "files.remove", "verdict": "deny" },
 *      { "rule": "drafts-only", "call": "files.write", "verdict": "ask",
 *        "except": { "path": { "under": "/drafts" } } }]
 */
import { readFile } from "node:fs/promises";
import { NutshellError } from "../error.ts";
import { decide, type ExtraRule, isExtraRule, narrowed, type Policy } from "./security/policy.ts";

/** @throws NutshellError CONFIG */
export async function readPolicy(path: string): Promise<Policy> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new NutshellError("CONFIG", `${path}: must be readable (${error.code}).`, {
      cause: error,
    });
  });
  return text === undefined ? decide : narrowed(decide, parseRules(path, text));
}

function parseRules(path: string, text: string): readonly ExtraRule[] {
  const rules = tryJson(text);
  if (!Array.isArray(rules))
    throw new NutshellError("CONFIG", `${path}: must be a JSON list of rules. See docs/policy.md.`);
  const wrong = rules.findIndex((rule) => !isExtraRule(rule));
  if (wrong < 0) return rules;
  const form = '{"rule", "call", "verdict": "ask" or "deny", "except"?}';
  throw new NutshellError("CONFIG", `${path}: rule ${wrong + 1} must be ${form}.`);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
