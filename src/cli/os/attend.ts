/**
 * A person attends a process: waits for its end and answers, on the terminal, what it or its
 * children ask. Going away leaves the process as it is; its tickets wait.
 */
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { NutshellError } from "../../error.ts";
import type { Ticket, TicketAnswer } from "../../os/kernel/kernel.ts";
import type { Exit, ProcessRecord } from "../../os/kernel/process.ts";
import type { Control } from "../../server/control/control-client.ts";
import type { CommandIo } from "../command.ts";
import { renderTicket } from "./ticket.ts";

const LOOK_MS = 300;

/** Reads one line from the person; undefined: nobody is there. */
export type Ask = (question: string) => Promise<string | undefined>;

/** @param ask absent: tickets are named and wait */
export async function attend(
  control: Control,
  pid: number,
  io: CommandIo,
  ask?: Ask,
): Promise<Exit> {
  const ended = new AbortController();
  const exit = control.call("wait", { pid }, io.signal).finally(() => ended.abort());
  const [result] = await Promise.all([exit, answerTickets(control, pid, io, ended.signal, ask)]);
  return result;
}

async function answerTickets(
  control: Control,
  pid: number,
  io: CommandIo,
  ended: AbortSignal,
  ask: Ask | undefined,
): Promise<void> {
  const seen = new Set<number>();
  while (!ended.aborted) {
    await sleep(LOOK_MS, undefined, { signal: ended }).catch(() => {});
    if (ended.aborted) return;
    for (const ticket of await openTickets(control, pid)) {
      if (seen.has(ticket.id)) continue;
      seen.add(ticket.id);
      io.stderr(`${renderTicket(ticket)}`);
      const answer = ask && (await readAnswer(ticket, ask));
      if (answer !== undefined) await control.call("answer", { ticket: ticket.id, answer });
    }
  }
}

/** Of the process and what it started. */
async function openTickets(control: Control, pid: number): Promise<readonly Ticket[]> {
  const tickets = await control.call("tickets", {});
  if (tickets.length === 0) return [];
  const family = familyOf(pid, await control.call("processes", {}));
  return tickets.filter((ticket) => family.has(ticket.pid));
}

function familyOf(pid: number, processes: readonly ProcessRecord[]): ReadonlySet<number> {
  const family = new Set([pid]);
  // Children have higher numbers than their parents.
  for (const { pid: child, parent } of processes.toSorted((a, b) => a.pid - b.pid))
    if (parent !== undefined && family.has(parent)) family.add(child);
  return family;
}

async function readAnswer(ticket: Ticket, ask: Ask): Promise<TicketAnswer | undefined> {
  if (ticket.kind === "unknown") return undefined; // Somebody has to look first.
  if (ticket.kind === "question") {
    const text = await ask("  your answer: ");
    return text === undefined ? undefined : { kind: "reply", text };
  }
  const word = await ask("  y = yes, n = no, Enter = later: ");
  if (word === undefined || word.trim() === "") return undefined;
  return { kind: /^y(es)?$/i.test(word.trim()) ? "grant" : "deny" };
}

/** The person at this terminal, when there is one. */
export function terminalAsk(io: CommandIo): Ask | undefined {
  if (!process.stdin.isTTY || !io.isTTY) return undefined;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question, { signal: io.signal });
    } catch (error) {
      if (io.signal.aborted) return undefined;
      throw new NutshellError("ABORTED", "ask: the terminal is gone.", { cause: error });
    } finally {
      lines.close();
    }
  };
}
