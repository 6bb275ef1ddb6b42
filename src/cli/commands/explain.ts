/** `nutshell explain CODE`: the page of one error code, from `docs/errors`. */
import { readdir, readFile } from "node:fs/promises";
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import { type Command, defineCommand } from "../command.ts";

const pages = new URL("../../../docs/errors/", import.meta.url);

/** @returns the codes that have a page, sorted */
export async function listErrorPages(): Promise<string[]> {
  const files = (await readdir(pages)).filter((file) => file.endsWith(".md"));
  return files.map((file) => file.slice(0, -".md".length)).sort();
}

export const command: Command = defineCommand({
  name: "explain",
  summary: "what an error code means, why it happens and what to do",
  example: "nutshell explain CHECKPOINT",
  positionals: [
    { name: "CODE", doc: "The word in capitals that an error starts with.", required: true },
  ],
  options: {},
  async run(_values, io, { positionals: [code = ""] }) {
    const known = await listErrorPages();
    const page = known.find((name) => name === code.toUpperCase());
    if (page === undefined) {
      const hint = suggestName(code, known);
      throw new NutshellError("USAGE", `explain: no page for "${code}". ${hint}`);
    }
    const text = await readFile(new URL(`${page}.md`, pages), "utf8");
    io.stdout(io.json ? `${JSON.stringify({ code: page, text })}\n` : text);
  },
});
