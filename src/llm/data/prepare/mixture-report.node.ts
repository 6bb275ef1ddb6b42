/** The mixture of a run or a prepared folder as files that people open: `mixture.svg` and `.md`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "../../../durable-file.node.ts";
import { renderMixtureSvg } from "../mixture/picture.ts";
import { renderMixtureMarkdown } from "../mixture/table.ts";
import type { RunMixture } from "./run-mixture.ts";

/** @throws DISK */
export async function writeMixture(
  folder: string,
  { rows, emptySlots }: RunMixture,
): Promise<void> {
  const texts = {
    "mixture.svg": renderMixtureSvg(rows, emptySlots),
    "mixture.md": `# The mixture\n\n${renderMixtureMarkdown(rows, emptySlots)}\n`,
  };
  try {
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  } catch (error) {
    throw diskError(folder, error, "What was finished stays.");
  }
}
