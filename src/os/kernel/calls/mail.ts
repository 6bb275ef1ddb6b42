/**
 * `mail.*`: messages between processes. Each is a row with the labels of what was sent and of what
 * decided to send it; whoever receives it gets both. Within a tree everybody may write to everybody;
 * to a mailbox outside of it only with a right that names it (`where: { to: … }`).
 */
import { canonicalJson } from "../../security/canonical.ts";
import { covers } from "../../security/capability.ts";
import { join, joinAll, mayRead } from "../../security/label.ts";
import { fromLabelJson, toLabelJson } from "../../security/label-json.ts";
import {
  type Json,
  type Labelled,
  type LabelTree,
  partLabels,
  wholeLabel,
} from "../../security/labelled.ts";
import { DeviceError } from "../device-error.ts";
import { fromLabelledText, type ProcessRow, readRow, toLabelledText } from "../process-row.ts";
import type { KernelState } from "../state.ts";
import type { CallContext, CallResult, Syscall } from "../syscall.ts";
import { wake } from "../wakeups.ts";
import { blockOn } from "./deadlock.ts";
import { closed, kernelLabel, kernelResult, msSchema, neutral, pidSchema } from "./row.ts";

export function mailCalls(state: KernelState): readonly Syscall[] {
  return [
    {
      name: "mail.send",
      doc: "Sends a message to a process.",
      args: closed({ to: pidSchema, body: {} }, ["to", "body"]),
      ...{ effect: "idempotent", access: "write", sinks: neutral("to", "body") },
      run: (args, context) => send(state, args, context),
    },
    {
      name: "mail.recv",
      doc: "Waits for a message, from one process or from anybody; the oldest comes first.",
      args: closed({ from: pidSchema, timeoutMs: msSchema }),
      ...{ effect: "idempotent", access: "read", sinks: neutral("from", "timeoutMs"), waits: true },
      run: (args, context) => receive(state, args, context),
    },
  ];
}

/** Of one mailbox: a flood ends with its sender's failures, not with the disk. */
const MOST_UNREAD = 1000;

/** A letter of this key that is there already counts as sent. */
const post = `
  insert into mail (recipient, sender, key, body, root, sent_at)
  select $1, $2, $3, $4, $5, $6 where exists (select from mail where key = $3) or $7 > (
    select count(*) from (
      select from mail where recipient = $1 and taken_by is null limit $7) unread)
  on conflict (key) do update set key = excluded.key`;

async function send(state: KernelState, args: Labelled, context: CallContext): Promise<CallResult> {
  const { to, body } = args.value as { to: number; body: Json };
  const { pool } = state.database;
  const recipient = await findMailbox(state, to, context, args.value);
  const root = joinAll([context.pc, args.labels.label, wholeLabel(partLabels(args.labels, "to"))]);
  const message = { value: body, labels: partLabels(args.labels, "body") };
  const { readers } = join(root, wholeLabel(message.labels));
  if (!mayRead(readers, new Set([recipient.owner]))) {
    const rule = "the recipient's owner must be among its readers";
    throw new DeviceError(`mail.send: ${rule}, got another's process.`, { code: "POLICY" });
  }
  const { rowCount } = await pool.query(post, [
    ...[to, context.pid, context.key, toLabelledText(message)],
    ...[canonicalJson(toLabelJson(root)), context.since, MOST_UNREAD],
  ]);
  if (rowCount === 0) {
    throw new DeviceError(
      `mail.send: a mailbox holds ${MOST_UNREAD} unread messages, got one more.`,
    );
  }
  await wake(pool, [to]);
  return kernelResult(null, context);
}

/** A living process in one's own tree, or one that a right names. */
async function findMailbox(
  { database, now }: KernelState,
  to: number,
  { pid, capabilities }: CallContext,
  args: Json,
): Promise<ProcessRow> {
  const recipient = await readRow(database.pool, to);
  const sender = await readRow(database.pool, pid);
  const named = capabilities.filter(({ where }) => where?.to !== undefined);
  const related = recipient?.path[0] === sender?.path[0];
  const reachable = related || covers(named, "mail.send", args, now());
  if (recipient !== undefined && recipient.ended_at === null && reachable) return recipient;
  const message = `mail.send: a mailbox must be in reach, got pid ${to}. Grant mail.send to it.`;
  throw new DeviceError(message, { code: "NO_PROCESS" });
}

interface MailRow {
  readonly sender: number;
  readonly body: string;
  readonly root: string;
}

/**
 * Taken under the call's key: after a crash the same call gets the same message. A call that has
 * its result takes none: a daemon that was frozen in it may not know.
 */
const take = `
  with mine as (select * from mail where taken_by = $2),
  next as (
    update mail set taken_by = $2 where not exists (select from mine)
      and not exists (select from journal where pid = $1 and call = $4 and kind = 'result')
      and id = (select id from mail where recipient = $1 and taken_by is null
        and ($3::int is null or sender = $3) order by id limit 1 for update skip locked)
    returning *)
  select sender, body, root from mine union all select sender, body, root from next`;

async function receive(
  state: KernelState,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { from, timeoutMs } = args.value as { from?: number; timeoutMs?: number };
  const { pool } = state.database;
  const alarmAt = timeoutMs === undefined ? undefined : context.since + timeoutMs;
  const look = async (): Promise<MailRow | "timeout" | undefined> => {
    const { rows } = await pool.query<MailRow>(take, [
      ...[context.pid, context.key, from ?? null, context.call],
    ]);
    if (rows[0] !== undefined) return rows[0];
    if (alarmAt !== undefined && alarmAt <= state.now()) return "timeout";
    if (from !== undefined && alarmAt === undefined) await blockOn(state, context.pid, from);
    return undefined;
  };
  const mail = await state.wakeups.until(context.pid, look, context.signal, alarmAt);
  if (context.signal.aborted) await giveBack(state, context);
  if (mail !== "timeout") return toResult(mail, context);
  throw new DeviceError("mail.recv: a message must come in time, got none.", { code: "TIMEOUT" });
}

/** The call was ended while it took a message: the next one gets it. */
async function giveBack({ database }: KernelState, { pid, key }: CallContext): Promise<void> {
  await database.pool.query("update mail set taken_by = null where taken_by = $1", [key]);
  await wake(database.pool, [pid]);
}

function toResult({ sender, body, root }: MailRow, context: CallContext): CallResult {
  const message = fromLabelledText(body);
  const label = join(fromLabelJson(JSON.parse(root)), kernelLabel(context));
  const parts = new Map<string, LabelTree>([
    ["from", { label: kernelLabel(context) }],
    ["body", message.labels],
  ]);
  return { value: { from: sender, body: message.value }, labels: { label, parts } };
}
