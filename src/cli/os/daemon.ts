/** A daemon from its first breath to its last: system, socket, and an end in order. */
import { openEngine } from "../../llm/engines/open-engine.node.ts";
import { bootSystem } from "../../os/boot.node.ts";
import { checkFree, startControl } from "../../server/control/control-server.ts";
import type { CommandIo } from "../command.ts";
import { makeHome, socketPath } from "./home.ts";
import { shippedModel } from "./shipped-model.ts";

export interface DaemonSetting {
  readonly home: string;
  readonly model?: string;
  readonly databaseUrl?: string;
}

export interface Ready {
  readonly socket: string;
  /** Where the database came from. */
  readonly database: string;
  readonly model: string;
}

/** @param ready called when it listens; @returns when it has ended */
export async function bootDaemon(
  { home, model = shippedModel, databaseUrl }: DaemonSetting,
  io: CommandIo,
  ready: (ready: Ready) => void,
): Promise<void> {
  const say = (line: string): void => io.stderr(`${line}\n`);
  const socket = socketPath(home);
  await checkFree(socket);
  await makeHome(home);
  await using engine = await openEngine(model, { say });
  await using system = await bootSystem({
    home,
    engines: [engine],
    say,
    ...(databaseUrl !== undefined && { databaseUrl }),
  });
  const stop = new AbortController();
  const control = await startControl(system, socket, () => stop.abort());
  ready({ socket, database: system.database, model: engine.model.id });
  await aborted(AbortSignal.any([io.signal, stop.signal]));
  say("ending: calls in flight are left to the next boot");
  await control.close();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
