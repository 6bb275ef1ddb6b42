/**
 * Page tables in Postgres. A change is made on a copy in memory and written under the version that
 * was read; who comes second begins again. So a change may take its time (a model summarises)
 * without holding a lock, and a crash leaves the table as before or as after.
 */
import type pg from "pg";
import type { Database } from "../../durable/database.ts";
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext } from "../kernel/syscall.ts";
import type { Json } from "../security/labelled.ts";
import type { Page, Window } from "./page.ts";
import { parseRef, type Ref, refOf } from "./space.ts";
import {
  fromTextRow,
  indexText,
  insertText,
  type StoredText,
  type TextRow,
  textColumns,
} from "./text-store.ts";
import { emptyWindow, shownAs } from "./window.ts";

/** A process's window as it was read. */
export interface Loaded {
  readonly version: number;
  /** Texts that the process has put away so far. */
  readonly texts: number;
  /** Of the last assembly, in tokens. */
  readonly capacity?: number;
  readonly window: Window;
  /** What its pages show, by ref. */
  readonly known: ReadonlyMap<string, StoredText>;
}

/** What becomes of it. */
export interface Change {
  readonly window: Window;
  readonly made?: readonly StoredText[];
  /** Texts that search shall find from now on. */
  readonly indexed?: readonly { readonly ref: Ref; readonly text: string }[];
  readonly capacity?: number;
  /** Kept under the call's number: what a repetition of the call is answered with. */
  readonly answer: Json;
}

/** Answers that are kept: a process has few calls under way at once. */
const KEPT_ANSWERS = 64;
const ATTEMPTS = 20;

type Caller = Pick<CallContext, "pid" | "call" | "owner">;

/**
 * Does it once per call.
 * @param refs whose pages it needs besides those in sight
 * @returns the change's answer, or that of the same call before
 */
export async function changeWindow(
  database: Database,
  caller: Caller,
  refs: readonly string[],
  change: (loaded: Loaded) => Promise<Change>,
): Promise<Json> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await findAnswer(database.pool, caller);
    if (before !== undefined) return before;
    const loaded = await loadWindow(database.pool, caller.pid, refs);
    const changed = await change(loaded);
    if (await save(database, caller, loaded, changed)) return changed.answer;
  }
  throw new DeviceError("memory: a window changed under every attempt. Make fewer calls at once.");
}

async function findAnswer(pool: pg.Pool, { pid, call }: Caller): Promise<Json | undefined> {
  const text = "select answer from memory_done where pid = $1 and call = $2";
  const { rows } = await pool.query<{ answer: string }>(text, [pid, call]);
  return rows[0] === undefined ? undefined : (JSON.parse(rows[0].answer) as Json);
}

interface WindowRow {
  readonly version: number;
  readonly texts: number;
  readonly last_page: number;
  readonly last_position: number;
  readonly clock: number;
  readonly refs: number;
  readonly hits: number;
  readonly faults: number;
  readonly refaults: number;
  readonly evictions: number;
  readonly capacity: number | null;
}

/**
 * What is in sight, and pages of these refs: a process may have had any number in its life.
 * @param refs "all" for people
 */
export async function loadWindow(
  pool: pg.Pool,
  pid: number,
  refs: readonly string[] | "all" = [],
): Promise<Loaded> {
  const { rows } = await pool.query<WindowRow>("select * from memory_window where pid = $1", [pid]);
  const [row] = rows;
  if (row === undefined)
    return { version: 0, texts: 0, window: emptyWindow(pid), known: new Map() };
  const { pages, known } = await loadPages(pool, pid, refs);
  const { refs: references, hits, faults, refaults, evictions, clock, capacity } = row;
  const counts = { references, hits, faults, refaults, evictions };
  const last = { lastPage: row.last_page, lastPosition: row.last_position };
  return {
    ...{ version: row.version, texts: row.texts, known },
    ...(capacity !== null && { capacity }),
    window: { pid, pages, clock, counts, ...last },
  };
}

/** The columns whose names say what they hold, and the rest as JSON, which escapes any character. */
interface PageRow extends TextRow {
  readonly page: number;
  readonly page_kind: Page["kind"];
  readonly form: Page["form"];
  readonly shown: number;
  readonly pinned: boolean;
  readonly dirty: boolean;
  readonly history: readonly number[];
  readonly rest: string;
}

type Rest = Pick<
  Page,
  "tokens" | "role" | "standIn" | "unit" | "position" | "toolCalls" | "callId"
>;

async function loadPages(
  pool: pg.Pool,
  pid: number,
  refs: readonly string[] | "all",
): Promise<{ pages: Map<number, Page>; known: Map<string, StoredText> }> {
  const asked = refs === "all" ? [] : refs.map(parseRef).filter((ref) => ref !== undefined);
  const { rows } = await pool.query<PageRow>(
    `select p.page, p.kind page_kind, p.form, p.shown, p.pinned, p.dirty, p.history, p.rest,
       ${textColumns} from memory_page p join memory_text t on t.pid = text_pid and t.n = text_n
     where p.pid = $1 and ($2 or form <> 'absent'
       or (text_pid, text_n) in (select * from unnest($3::int[], $4::int[])))
     order by p.page`,
    [pid, refs === "all", asked.map((ref) => ref.pid), asked.map(({ n }) => n)],
  );
  const [pages, known] = [new Map<number, Page>(), new Map<string, StoredText>()];
  for (const { page, page_kind, form, shown, pinned, dirty, history, rest, ...row } of rows) {
    const text = fromTextRow(row);
    const ref = refOf(text);
    known.set(ref, text);
    const whole: Page = {
      ...{ page, ref, kind: page_kind, form, shown, pinned, dirty, history },
      ...{ title: text.title, hash: text.hash, labels: text.labels },
      ...(JSON.parse(rest) as Rest),
    };
    // What was forgotten is in nobody's sight any more.
    pages.set(page, row.forgotten === null ? whole : shownAs(whole, "absent", "", 0));
  }
  return { pages, known };
}

/** @returns false when somebody else was first */
function save(
  database: Database,
  caller: Caller,
  loaded: Loaded,
  change: Change,
): Promise<boolean> {
  return database.transaction(async (client) => {
    if (!(await saveCounts(client, caller, loaded, change))) return false;
    for (const text of change.made ?? []) await insertText(client, text);
    for (const page of change.window.pages.values()) {
      if (loaded.window.pages.get(page.page) !== page) await savePage(client, caller, page);
    }
    for (const { ref, text } of change.indexed ?? []) await indexText(client, ref, text);
    await saveAnswer(client, caller, change.answer);
    return true;
  });
}

async function saveCounts(
  client: pg.PoolClient,
  { pid, owner }: Caller,
  { version, texts, capacity }: Loaded,
  change: Change,
): Promise<boolean> {
  const { lastPage, lastPosition, clock, counts } = change.window;
  const { references, hits, faults, refaults, evictions } = counts;
  const own = [pid, owner, version + 1, texts + (change.made?.length ?? 0)];
  const { rowCount } = await client.query(
    `insert into memory_window as w values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     on conflict (pid) do update set version = $3, texts = $4, last_page = $5, last_position = $6,
       clock = $7, refs = $8, hits = $9, faults = $10, refaults = $11, evictions = $12,
       capacity = $13 where w.version = $3 - 1`,
    [
      ...[...own, lastPage, lastPosition, clock, references, hits, faults, refaults, evictions],
      change.capacity ?? capacity ?? null,
    ],
  );
  return rowCount === 1;
}

async function savePage(client: pg.PoolClient, { pid, call }: Caller, page: Page): Promise<void> {
  const { kind, form, shown, pinned, dirty, history } = page;
  const { tokens, role, standIn, unit, position, toolCalls, callId } = page;
  const rest = JSON.stringify({ tokens, role, standIn, unit, position, toolCalls, callId } as Rest);
  const ref = parseRef(page.ref) as Ref;
  await client.query(
    `insert into memory_page values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     on conflict (pid, page) do update set kind = $5, form = $6, shown = $7, pinned = $8,
       dirty = $9, history = $10, rest = $11`,
    [pid, page.page, ref.pid, ref.n, kind, form, shown, pinned, dirty, [...history], rest, call],
  );
}

async function saveAnswer(
  client: pg.PoolClient,
  { pid, call }: Caller,
  answer: Json,
): Promise<void> {
  await client.query("insert into memory_done values ($1, $2, $3)", [
    ...[pid, call, JSON.stringify(answer)],
  ]);
  await client.query("delete from memory_done where pid = $1 and call < $2", [
    ...[pid, call - KEPT_ANSWERS],
  ]);
}
