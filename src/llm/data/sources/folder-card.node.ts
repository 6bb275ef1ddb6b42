/**
 * What the owner of a folder says of it: a `card.json` beside the text, or a README with a licence,
 * in front matter or in a line of its own.
 *
 *     card.json  {"licence": "CC BY 4.0", "language": "en", "card": "…", "domain": "books"}
 *     README.md  ---\nlicense: cc-by-4.0\nlanguage:\n- en\n---   or   Licence: CC BY 4.0
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NutshellError } from "../../../error.ts";
import { oneLine, readError } from "./file-error.node.ts";
import { type Domain, domains } from "./source.ts";

export interface FolderCard {
  readonly licence?: string;
  readonly language?: string;
  readonly card?: string;
  readonly domain?: Domain;
  /** The README that says so: it is about the text, not a part of it. */
  readonly file?: string;
}

const MOST_README = 100_000;

const readmes = ["README.md", "README", "readme.md", "README.txt", "README.rst"];

/** @throws CONFIG for a card.json that is not valid, DATA when it cannot be read */
export function readFolderCard(folder: string): FolderCard {
  const card = join(folder, "card.json");
  const readme = readmes.find((name) => existsSync(join(folder, name)));
  const said = readme === undefined ? {} : readReadme(folder, readme);
  return existsSync(card) ? { ...said, ...parseCard(card) } : said;
}

function parseCard(path: string): FolderCard {
  const card = parseJson(path);
  if (typeof card !== "object" || card === null || Array.isArray(card)) {
    throw badCard(path, "must be one object", JSON.stringify(card));
  }
  const fields = card as Readonly<Record<string, unknown>>;
  const text = (...names: string[]): string | undefined => {
    const name = names.find((candidate) => fields[candidate] !== undefined);
    const value = name === undefined ? undefined : fields[name];
    if (value === undefined || typeof value === "string") return value;
    throw badCard(path, `${name} must be text`, JSON.stringify(value));
  };
  const domain = text("domain");
  if (domain !== undefined && !domains.includes(domain as Domain)) {
    throw badCard(path, `domain must be one of ${domains.join(", ")}`, JSON.stringify(domain));
  }
  return withoutAbsent({
    licence: text("licence", "license"),
    language: text("language"),
    card: text("card", "description"),
    domain: domain as Domain | undefined,
  });
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw badCard(path, "must be JSON", oneLine(cause.message));
    throw readError(path, cause);
  }
}

function badCard(path: string, rule: string, got: string): NutshellError {
  const text = `${path}: a card ${rule}, got ${oneLine(got)}. Correct it or leave it out.`;
  return new NutshellError("CONFIG", text);
}

function readReadme(folder: string, name: string): FolderCard {
  const text = tryRead(join(folder, name)).slice(0, MOST_README);
  const [, front = ""] = /^---\n(.*?)\n---/s.exec(text) ?? [];
  const licence =
    /^licen[cs]e:\s*\[?["']?([^\s"'[\],#-][^"'[\],#\n]*)/m.exec(front)?.[1] ??
    /^[#>*\-\s]*\**licen[cs]e\**\s*[:：]\**\s*(.{2,60}?)[*.]*$/im.exec(text)?.[1];
  const language = /^languages?:\s*(?:\[\s*|-\s*)?["']?([a-z]{2})\b/m.exec(front)?.[1];
  if (licence === undefined) return {};
  return withoutAbsent({ licence: licence.trim(), language, file: name });
}

/** A README that cannot be read here is met again when it is read as text. */
function tryRead(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function withoutAbsent(
  card: { readonly [K in keyof FolderCard]: FolderCard[K] | undefined },
): FolderCard {
  const stated = Object.entries(card).filter(([, value]) => value !== undefined);
  return Object.fromEntries(stated) as FolderCard;
}
