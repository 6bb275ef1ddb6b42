/** `nutshell doctor`: every dependency and device, green or what to install. */
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { checkMachine } from "../os/check-machine.ts";
import { connect, type HomeValues, homeFolder, homeOption } from "../os/home.ts";

export const command: Command<OptionTableFor<HomeValues>> = defineCommand({
  name: "doctor",
  summary: "every dependency and device: green, or what to install",
  example: "nutshell doctor",
  options: homeOption,
  async run(values, io) {
    const machine = await checkMachine(homeFolder(values));
    const daemon = await connect(values)
      .call("health", {})
      .catch((error: Error) => [{ name: "daemon", ok: false, text: error.message }]);
    const rows = [...machine, ...daemon];
    if (io.json) io.stdout(`${JSON.stringify(rows)}\n`);
    else {
      const width = Math.max(...rows.map(({ name }) => name.length));
      for (const { name, ok, text } of rows)
        io.stdout(`${paint(ok, io.color)} ${name.padEnd(width)}  ${text}\n`);
    }
    const bad = rows.filter(({ ok }) => !ok).map(({ name }) => name);
    if (bad.length > 0)
      throw new NutshellError(
        "CONFIG",
        `doctor: all must be green, got trouble with ${bad.join(", ")}.`,
      );
  },
});

function paint(ok: boolean, color: boolean): string {
  const mark = ok ? "✔" : "✖";
  return color ? `\x1b[${ok ? 32 : 31}m${mark}\x1b[0m` : mark;
}
