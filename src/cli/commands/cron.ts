/** `nutshell cron`: goals by the clock, whichever daemon is up. */
import { NutshellError } from "../../error.ts";
import { inertLine } from "../../inert-text.ts";
import type { OptionTableFor } from "../../options.ts";
import type { CronEntry } from "../../os/kernel/kernel.ts";
import type { Control } from "../../server/control/control-client.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { renderColumns } from "../os/columns.ts";
import { connect } from "../os/home.ts";
import { type RunValues, runOptions, toRunRequest } from "../os/run-options.ts";

interface CronValues extends RunValues {
  at: string | undefined;
  timeZone: string | undefined;
  remove: boolean;
}

const EXAMPLE = 'nutshell cron hello "What day is it?" --at "0 8 * * *" --time-zone Europe/Berlin';

export const command: Command<OptionTableFor<CronValues>> = defineCommand({
  name: "cron",
  summary: "goals by the clock: lists, adds and removes them",
  example: EXAMPLE,
  options: {
    ...runOptions,
    at: {
      type: "string?",
      value: undefined,
      placeholder: "CRON",
      doc: "Five or six fields as in crontab(5), seconds first when there are six.",
    },
    timeZone: { type: "string?", value: undefined, doc: "As in Europe/Berlin; absent = UTC." },
    remove: { type: "boolean", value: false, doc: "The entry of this name goes." },
  },
  positionals: [
    { name: "NAME", doc: "Of the entry; absent: list all.", required: false },
    { name: "GOAL", doc: "What is to be done.", required: false },
  ],
  async run(values, io, { positionals: [name, goal] }) {
    const control = connect(values);
    if (name === undefined) return list(control, io);
    if (values.remove) await control.call("unschedule", { name });
    else await add(control, name, goal, values);
    if (io.json) io.stdout(`${JSON.stringify({ name, removed: values.remove })}\n`);
  },
});

async function add(
  control: Control,
  name: string,
  goal: string | undefined,
  values: CronValues,
): Promise<void> {
  const { at, timeZone } = values;
  if (goal === undefined || at === undefined)
    throw new NutshellError("USAGE", `cron: needs a goal and --at. Try: ${EXAMPLE}`);
  const request = { ...toRunRequest(values), goal };
  await control.call("schedule", {
    ...{ name, cron: at, request },
    ...(timeZone !== undefined && { timeZone }),
  });
}

async function list(control: Control, io: CommandIo): Promise<void> {
  const entries = await control.call("schedules", {});
  if (io.json) return io.stdout(`${JSON.stringify(entries)}\n`);
  const columns = [
    { title: "NAME", cell: ({ name }: CronEntry) => inertLine(name, 40) },
    { title: "AT", cell: ({ cron, timeZone = "UTC" }: CronEntry) => `${cron} ${timeZone}` },
    { title: "TITLE", cell: ({ request }: CronEntry) => inertLine(request.title ?? "", 200) },
  ];
  io.stdout(renderColumns(columns, entries, io.isTTY ? io.columns : 1000));
}
