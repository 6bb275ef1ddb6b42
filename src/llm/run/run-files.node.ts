/** What every stage does with its folder beside checkpoints: makes it, writes reports into it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "../../durable-file.node.ts";

/** @throws DISK */
export async function makeFolder(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw diskError(out, error, "Nothing was lost.");
  }
}

/** Writes a file that can be drawn again, such as a card or a curve. @returns its path  @throws DISK */
export async function writeReport(out: string, name: string, body: string): Promise<string> {
  const path = join(out, name);
  try {
    await writeFile(path, body);
  } catch (error) {
    throw diskError(path, error, "The last checkpoint is intact. Then resume.");
  }
  return path;
}
