/**
 * The built-in mixture: what trains a model when no other text is there. Stories dominate, since a
 * model of a few minutes' training can learn them; the rest widens its words. Sizes, licences and
 * origins: docs/data.md.
 */

import type { RawSource } from "../document.ts";
import { readFactbook } from "./factbook.node.ts";
import { readPackageDocs } from "./package-docs.node.ts";
import { createStories } from "./stories.ts";
import { readWordnet } from "./wordnet.node.ts";

const STORIES = 16_000;

export function readBuiltin(): RawSource[] {
  return [
    {
      name: "stories",
      licence: "Apache-2.0",
      weight: 0.65,
      documents: createStories(STORIES),
    },
    { name: "wordnet", licence: "WordNet", weight: 0.15, documents: readWordnet() },
    { name: "factbook", licence: "public domain", weight: 0.12, documents: readFactbook() },
    {
      name: "package-docs",
      licence: "MIT, Apache-2.0, ISC or BSD",
      weight: 0.08,
      documents: readPackageDocs(),
    },
  ];
}
