/**
 * `nutshell boot`: one daemon, until it is told to stop. It runs processes, whoever asked for them;
 * those of a daemon that died go on here or at the next boot.
 */
import type { OptionTableFor } from "../../options.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import type { DaemonSetting } from "../os/daemon.ts";
import { bootDetached } from "../os/detach.ts";
import { type HomeValues, homeFolder, homeOption } from "../os/home.ts";

interface BootValues extends HomeValues {
  model: string | undefined;
  databaseUrl: string | undefined;
  detach: boolean;
}

export const command: Command<OptionTableFor<BootValues>> = defineCommand({
  name: "boot",
  summary: "starts the daemon that runs processes: the model as an operating system's kernel",
  example: "nutshell boot --detach",
  options: {
    ...homeOption,
    model: {
      type: "string?",
      value: undefined,
      doc: "A checkpoint, a GGUF file or PROVIDER/MODEL; absent = the model that ships.",
    },
    databaseUrl: {
      type: "string?",
      value: undefined,
      placeholder: "URL",
      doc: "A Postgres that daemons share; absent = $DATABASE_URL, else one of its own.",
    },
    detach: {
      type: "boolean",
      value: false,
      doc: "Leave it in the background, its log in the home.",
    },
  },
  async run(values, io) {
    if (values.detach) return bootDetached(homeFolder(values), process.argv.slice(2), io);
    const { bootDaemon } = await import("../os/daemon.ts"); // Models and database: a second to load.
    await bootDaemon(toSetting(values), io, (ready) => announce(ready, io));
  },
});

function toSetting(values: BootValues): DaemonSetting {
  const { model, databaseUrl } = values;
  return {
    home: homeFolder(values),
    ...(model !== undefined && { model }),
    ...(databaseUrl !== undefined && { databaseUrl }),
  };
}

function announce(ready: { socket: string; database: string; model: string }, io: CommandIo): void {
  if (io.json) io.stdout(`${JSON.stringify({ ...ready, pid: process.pid })}\n`);
  io.stderr(
    `booted: ${ready.model} on Postgres (${ready.database}), listening at ${ready.socket}\n`,
  );
  io.stderr('try: nutshell run "What is 17 * 23?"; Ctrl-C ends the daemon\n');
}
