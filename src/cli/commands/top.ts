/** `nutshell top`: the process table, live; whoever spends most stands first in its family. */
import { setTimeout as sleep } from "node:timers/promises";
import { inRange, type OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { renderTop } from "../os/top.ts";

interface TopValues extends HomeValues {
  every: number;
  times: number | undefined;
}

const HOME = "\x1b[H\x1b[J";

export const command: Command<OptionTableFor<TopValues>> = defineCommand({
  name: "top",
  summary: "processes live: tokens and calls a second",
  example: "nutshell top --times 1",
  options: {
    ...homeOption,
    every: {
      type: "number",
      value: 1,
      doc: "Seconds between two looks.",
      check: inRange(0.1, 3600),
    },
    times: {
      type: "integer?",
      value: undefined,
      doc: "Looks; absent = until Ctrl-C.",
      check: inRange(1, 1e9),
    },
  },
  async run({ every, times = Number.POSITIVE_INFINITY, home }, io) {
    const control = connect({ home });
    let last = { at: Date.now(), processes: await control.call("processes", {}) };
    for (let look = 0; look < times && !io.signal.aborted; look++) {
      await sleep(every * 1000, undefined, { signal: io.signal }).catch(() => {});
      const now = { at: Date.now(), processes: await control.call("processes", {}) };
      if (io.json) io.stdout(`${JSON.stringify(now)}\n`);
      else io.stdout((io.isTTY ? HOME : "") + renderTop(last, now, io.isTTY ? io.columns : 1000));
      last = now;
    }
  },
});
