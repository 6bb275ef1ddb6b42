/**
 * How sources are spoken of. To models by kind alone, for a file's name may be an order to whoever
 * reads it; to people by name, escaped and cut.
 */
import { inertName } from "../../inert-text.ts";
import type { Label } from "./label.ts";

const maxNames = 8;
const maxName = 120;

/** ", got it from file, tool", or nothing where all is the user's and the configuration's. */
export function kindsOfSources({ integrity }: Label): string {
  const kinds = new Set([...integrity].map((source) => /^(\w+):/.exec(source)?.[1] ?? ""));
  const others = ["agent", "file", "model", "origin", "tool"].filter((kind) => kinds.has(kind));
  return others.length === 0 ? "" : `, got it from ${others.join(", ")}`;
}

/** User and configuration first, then so many of the others. */
export function namesOfSources({ integrity }: Label): readonly string[] {
  const own = ["user", "config"] as const;
  const others = [...integrity].filter((one) => one !== "user" && one !== "config").sort();
  const names = others.slice(0, maxNames).map((one) => {
    return inertName(one.slice(0, maxName)) + (one.length > maxName ? "..." : "");
  });
  const more = others.length > maxNames ? [`${others.length - maxNames} more`] : [];
  return [...own.filter((one) => integrity.has(one)), ...names, ...more];
}

/** An identifier, or what stands for a name that is none. */
export function plainName(name: string): string {
  return /^[A-Za-z_][\w.-]{0,47}$/.test(name) ? name : "(unnamed)";
}
