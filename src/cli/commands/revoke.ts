/** `nutshell revoke PID CALL`: a right is taken back, from the whole tree below too. */
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { callWord, pidWord, readPid } from "../os/words.ts";

export const command: Command<OptionTableFor<HomeValues>> = defineCommand({
  name: "revoke",
  summary: "takes a right back from a process and its children",
  example: "nutshell revoke 12 files.write",
  options: homeOption,
  positionals: [pidWord, callWord],
  async run(values, io, { positionals }) {
    const pid = readPid("revoke", positionals[0]);
    const call = positionals[1] as string;
    const taken = await connect(values).call("revoke", { pid, call });
    io.stdout(io.json ? `${JSON.stringify({ pid, call, taken })}\n` : `${taken} taken back\n`);
  },
});
