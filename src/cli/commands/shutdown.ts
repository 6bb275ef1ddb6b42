/** `nutshell shutdown`: the daemon ends; processes go on when one is booted again. */
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";

export const command: Command<OptionTableFor<HomeValues>> = defineCommand({
  name: "shutdown",
  summary: "ends the daemon; its processes go on after the next boot",
  example: "nutshell shutdown",
  options: homeOption,
  async run(values, io) {
    await connect(values).call("shutdown", {});
    if (io.json) io.stdout(`${JSON.stringify({ stopped: true })}\n`);
  },
});
