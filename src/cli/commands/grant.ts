/** `nutshell grant PID CALL`: a right, within limits on the call's arguments. */
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import type { Capability, Constraint } from "../../os/security/capability.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { callWord, pidWord, readPid } from "../os/words.ts";

interface GrantValues extends HomeValues {
  where: string | undefined;
  minutes: number | undefined;
}

export const command: Command<OptionTableFor<GrantValues>> = defineCommand({
  name: "grant",
  summary: "gives a process the right to make a call",
  example: `nutshell grant 12 files.write --where '{"path":{"under":"/drafts"}}' --minutes 30`,
  options: {
    ...homeOption,
    where: {
      type: "string?",
      value: undefined,
      placeholder: "JSON",
      doc: "Limits by argument: oneOf, under (a path), host, atMost.",
    },
    minutes: {
      type: "number?",
      value: undefined,
      doc: "It ends after that; absent = with the process.",
      check: (minutes) => (minutes > 0 ? undefined : "must be greater than 0"),
    },
  },
  positionals: [pidWord, callWord],
  async run({ home, where, minutes }, io, { positionals }) {
    const pid = readPid("grant", positionals[0]);
    const capability: Capability = {
      call: positionals[1] as string,
      ...(where !== undefined && { where: parseWhere(where) }),
      ...(minutes !== undefined && { expires: Date.now() + Math.round(minutes * 60_000) }),
    };
    await connect({ home }).call("grant", { pid, capability });
    if (io.json) io.stdout(`${JSON.stringify({ pid, capability })}\n`);
  },
});

function parseWhere(text: string): Readonly<Record<string, Constraint>> {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `grant: --where must be JSON, got ${text}. Try: '{"path":{"under":"/drafts"}}'`;
    throw new NutshellError("USAGE", message, { cause });
  }
}
