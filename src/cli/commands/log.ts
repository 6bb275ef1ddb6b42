/** `nutshell log verify`: every chain of the journal, and the anchors outside the database. */
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";

export const command: Command<OptionTableFor<HomeValues>> = defineCommand({
  name: "log",
  summary: "checks the journal: any changed, cut or reordered record is found",
  example: "nutshell log verify",
  options: homeOption,
  positionals: [{ name: "verify", doc: "Checks every record.", required: true }],
  async run(values, io, { positionals }) {
    if (positionals[0] !== "verify")
      throw new NutshellError("USAGE", `log: the word is verify, got ${positionals[0]}.`);
    const check = await connect(values).call("verifyJournal", {});
    if (io.json) io.stdout(`${JSON.stringify(check)}\n`);
    for (const { pid, index, text } of check.problems)
      io.stderr(`pid ${pid}, record ${index}: ${text}\n`);
    const told = `${check.records} records of ${check.processes} processes`;
    if (!io.json && check.ok) io.stdout(`${told}: every chain holds\n`);
    if (!check.ok)
      throw new NutshellError(
        "JOURNAL",
        `log: every chain must hold, got ${check.problems.length} that do not, in ${told}.`,
      );
  },
});
