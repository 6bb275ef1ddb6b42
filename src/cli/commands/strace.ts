/** `nutshell strace PID`: every system call with labels, verdict, time and cost. */
import { setTimeout as sleep } from "node:timers/promises";
import type { OptionTableFor } from "../../options.ts";
import type { JournalRecord } from "../../os/kernel/kernel.ts";
import type { Control } from "../../server/control/control-client.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { renderTrace } from "../os/trace.ts";
import { pidWord, readPid } from "../os/words.ts";

interface StraceValues extends HomeValues {
  follow: boolean;
}

const LOOK_MS = 250;

export const command: Command<OptionTableFor<StraceValues>> = defineCommand({
  name: "strace",
  summary: "every system call of a process: labels, verdict, time, cost",
  example: "nutshell strace 12 --follow",
  options: {
    ...homeOption,
    follow: { type: "boolean", value: false, doc: "Go on with what it does, until it has ended." },
  },
  positionals: [pidWord],
  async run({ home, follow }, io, { positionals }) {
    const pid = readPid("strace", positionals[0]);
    const control = connect({ home });
    const records = await control.call("journal", { pid });
    show(records, io);
    if (follow) await followJournal(control, pid, records, io);
  },
});

/** A call is shown when it is over: its intent alone would come twice. */
async function followJournal(
  control: Control,
  pid: number,
  shown: readonly JournalRecord[],
  io: CommandIo,
): Promise<void> {
  let from = (shown.at(-1)?.index ?? 0) + 1;
  let open: readonly JournalRecord[] = [];
  while (!io.signal.aborted) {
    const fresh = await control.call("journal", { pid, from });
    from += fresh.length;
    const all = [...open, ...fresh];
    const ended = new Set(all.filter(({ kind }) => kind === "result").map(({ call }) => call));
    open = all.filter(({ kind, call }) => kind === "intent" && !ended.has(call));
    show(
      all.filter((record) => !open.includes(record)),
      io,
    );
    if (all.some(({ kind }) => kind === "exit")) return;
    await sleep(LOOK_MS, undefined, { signal: io.signal }).catch(() => {});
  }
}

function show(records: readonly JournalRecord[], io: CommandIo): void {
  if (io.json) for (const record of records) io.stdout(`${JSON.stringify(record)}\n`);
  else for (const line of renderTrace(records)) io.stdout(`${line}\n`);
}
