/**
 * What waits for a person: approvals, endorsements, questions, unknown outcomes. A ticket is a row,
 * so that it outlives every daemon; its state only goes forward, and each step is one statement
 * that names the state it comes from, so that of two answers one is refused.
 */
import type { Database } from "../../durable/database.ts";
import { NutshellError } from "../../error.ts";
import { canonicalJson } from "../security/canonical.ts";
import type { Json } from "../security/labelled.ts";
import { appendRecord } from "./journal.ts";
import type { Ticket, TicketAnswer } from "./kernel.ts";
import { lasting } from "./lasting.ts";
import type { Client } from "./process-row.ts";
import type { KernelState } from "./state.ts";
import { wake } from "./wakeups.ts";

export interface NewTicket {
  readonly pid: number;
  readonly call: number;
  readonly kind: Ticket["kind"];
  /** Of an endorsement: the argument that is vouched for. */
  readonly argument?: string;
  readonly card: Json;
  /** Of an approval: what exactly is approved; sealed when it is granted. */
  readonly request?: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
}

export interface TicketRow {
  readonly id: number;
  readonly pid: number;
  readonly call: number;
  readonly kind: Ticket["kind"];
  readonly argument: string | null;
  readonly state: Ticket["state"];
  readonly card: string;
  readonly request: string | null;
  readonly seal: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly answer: string | null;
}

/** The ticket of this call, made when there is none. */
export async function openTicket(state: KernelState, ticket: NewTicket): Promise<TicketRow> {
  return await lasting(state, () =>
    state.database.transaction(async (client) => {
      await client.query("select from process where pid = $1 for no key update", [ticket.pid]);
      const found = await client.query<TicketRow>(
        `select * from ticket where pid = $1 and call = $2 and kind = $3
           and argument is not distinct from $4 order by id desc limit 1`,
        [ticket.pid, ticket.call, ticket.kind, ticket.argument ?? null],
      );
      return found.rows[0] ?? (await insertTicket(client, ticket));
    }),
  );
}

async function insertTicket(client: Client, ticket: NewTicket): Promise<TicketRow> {
  const { rows } = await client.query<TicketRow>(
    `insert into ticket (pid, call, kind, argument, card, request, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning *`,
    [
      ...[ticket.pid, ticket.call, ticket.kind, ticket.argument ?? null],
      ...[canonicalJson(ticket.card), ticket.request ?? null, ticket.createdAt],
      ticket.expiresAt ?? null,
    ],
  );
  const [row] = rows as [TicketRow];
  await logTicket(client, row, "open", ticket.createdAt);
  await wake(client, [ticket.pid]);
  return row;
}

async function logTicket(client: Client, row: TicketRow, to: string, at: number): Promise<void> {
  const body = canonicalJson({ ticket: row.id, kind: row.kind, state: to });
  await appendRecord(client, [row.pid], { kind: "ticket", call: row.call, at, body });
}

export async function readTicket(client: Client, id: number): Promise<TicketRow | undefined> {
  const { rows } = await client.query<TicketRow>("select * from ticket where id = $1", [id]);
  return rows[0];
}

/** What an answer makes of a ticket, by its kind; an answer that is not here does not fit. */
const answered: Readonly<Record<string, Ticket["state"]>> = {
  "approve grant": "granted",
  "approve deny": "denied",
  "endorse grant": "granted",
  "endorse deny": "denied",
  "question reply": "settled",
  "question deny": "denied",
  "unknown happened": "settled",
  "unknown did-not-happen": "settled",
};

/**
 * @param seal of a request that is granted, with a key that is not in the database
 * @throws NutshellError PROCESS when there is no such open ticket, USAGE for another's answer
 */
export async function answerTicket(
  database: Database,
  id: number,
  answer: TicketAnswer,
  now: number,
  seal: (request: string) => string,
): Promise<void> {
  await database.transaction(async (client) => {
    const row = await lockTicket(client, id);
    const to = answered[`${row.kind} ${answer.kind}`];
    if (to === undefined) throw unfit(row, answer.kind);
    const late = row.expires_at !== null && Number(row.expires_at) <= now;
    if (row.state !== "open" || late) throw closed(row, late ? "expired" : row.state);
    if (to === "granted" && row.request !== null) {
      await client.query("update ticket set seal = $2 where id = $1", [id, seal(row.request)]);
    }
    await moveTicket(client, row, to, now, canonicalJson({ ...answer }));
  });
}

/** The process's row is locked first, as everywhere. */
async function lockTicket(client: Client, id: number): Promise<TicketRow> {
  const row = Number.isInteger(id) ? await readTicket(client, id) : undefined;
  if (row === undefined) {
    throw new NutshellError("PROCESS", `answer: no such ticket, got ${id}. See nutshell tickets.`);
  }
  await client.query("select from process where pid = $1 for no key update", [row.pid]);
  return (await readTicket(client, id)) as TicketRow;
}

/** @param answer absent: it stays as it is */
export async function moveTicket(
  client: Client,
  row: TicketRow,
  to: Ticket["state"],
  now: number,
  answer?: string,
): Promise<void> {
  await client.query("update ticket set state = $2, answer = coalesce($3, answer) where id = $1", [
    ...[row.id, to, answer ?? null],
  ]);
  await logTicket(client, row, to, now);
  await wake(client, [row.pid]);
}

/** Those whose time is over at `now`, unless they are answered in this very moment. */
export async function expireTickets(database: Database, now: number): Promise<void> {
  const { rows } = await database.pool.query<TicketRow>(
    "select * from ticket where state = 'open' and expires_at <= $1",
    [now],
  );
  for (const { id } of rows) {
    await database.transaction(async (client) => {
      const row = await lockTicket(client, id);
      if (row.state === "open") await moveTicket(client, row, "expired", now);
    });
  }
}

export async function listTickets(
  client: Client,
  filter: { readonly pid?: number; readonly all?: boolean },
): Promise<readonly Ticket[]> {
  const { rows } = await client.query<TicketRow>(
    `select * from ticket where ($1::int is null or pid = $1) and ($2 or state = 'open')
     order by id`,
    [filter.pid ?? null, filter.all ?? false],
  );
  return rows.map((row) => ({
    id: row.id,
    pid: row.pid,
    call: row.call,
    kind: row.kind,
    state: row.state,
    card: JSON.parse(row.card) as Json,
    createdAt: Number(row.created_at),
    ...(row.expires_at !== null && { expiresAt: Number(row.expires_at) }),
    ...(row.answer !== null && { answer: JSON.parse(row.answer) as Json }),
  }));
}

function unfit(row: TicketRow, got: string): NutshellError {
  const fits = Object.keys(answered)
    .filter((key) => key.startsWith(`${row.kind} `))
    .map((key) => key.slice(row.kind.length + 1));
  return new NutshellError(
    "USAGE",
    `answer: ticket ${row.id} (${row.kind}) takes ${fits.join(" or ")}, got ${got}.`,
  );
}

function closed(row: TicketRow, got: string): NutshellError {
  return new NutshellError(
    "PROCESS",
    `answer: ticket ${row.id} must be open, got ${got}. The process asks again where it must.`,
  );
}
