/** `read_file {"name":"notes.txt"}`: the text of a file that the conversation brought along. */
import type { Tool } from "../tool.ts";
import { textArgument } from "./text-argument.ts";

export const readFile: Tool = {
  name: "read_file",
  description: "The text of a file, by its name.",
  parameters: {
    type: "object",
    properties: { name: { type: "string", description: "The file's name, e.g. notes.txt." } },
    required: ["name"],
    additionalProperties: false,
  },
  run(args, { files }) {
    const name = textArgument(args, "name");
    if (name === undefined) return 'error: read_file needs {"name":"…"}';
    const text = Object.hasOwn(files, name) ? files[name] : undefined;
    if (text !== undefined) return text;
    const known = Object.keys(files).join(", ") || "none";
    return `error: no file ${JSON.stringify(name)}; files: ${known}`;
  },
};
