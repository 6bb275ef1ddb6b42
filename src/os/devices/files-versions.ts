/**
 * What every tree held, ever: one row a version of one path, never changed but for `state`, and
 * content by its hash in the blob store. The newest row of a path says what is there now; where the
 * tree is a folder of the host the disk says it, and a row gives its label to the content that it
 * has the hash of.
 *
 * Undo walks along `before`: the version that stood there when a version was made.
 */
import type { Label } from "../security/label.ts";
import { fromLabelJson, toLabelJson } from "../security/label-json.ts";
import type { Json } from "../security/labelled.ts";

export const schema: readonly string[] = [
  `create table file_trees (
     tree text primary key,
     -- The host's folder that is seen where the tree has no version of its own.
     base text not null
   );
   create index file_trees_base on file_trees (base);
   create table file_versions (
     id bigint generated always as identity primary key,
     tree text not null,
     path text collate "C" not null,
     hash text,              -- absent: nothing is there
     bytes bigint not null,
     label text not null,    -- of the content
     placed text not null,   -- of its name and existence
     cause text not null,
     key text,               -- of the call that made it
     change text not null,   -- versions that are undone together
     before bigint,
     state text not null,    -- done, pending (a disk does not have it yet), lost (it never will)
     pid bigint,             -- of the process, and the number of its call
     call bigint,
     at bigint not null
   );
   create index file_versions_path on file_versions (tree, path, id desc);
   create index file_versions_change on file_versions (tree, change);
   create index file_versions_key on file_versions (key);
   create index file_versions_call on file_versions (tree, pid, call);`,
];

/** A pool, or the client of a transaction. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export type VersionState = "done" | "pending" | "lost";

export interface Version {
  readonly id: number;
  readonly tree: string;
  readonly path: string;
  /** Absent: nothing is there. */
  readonly hash: string | undefined;
  readonly bytes: number;
  readonly label: Label;
  readonly placed: Label;
  /** The call that made it; "found" on the host's disk, "base": as the tree below has it. */
  readonly cause: string;
  readonly key: string | undefined;
  readonly change: string;
  readonly before: number | undefined;
  readonly state: VersionState;
  readonly pid: number | undefined;
  /** Number of the call within its process. */
  readonly call: number | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const COLUMNS =
  "id, tree, path, hash, bytes, label, placed, cause, key, change, before, state, pid, call, at";

export async function newestVersion(
  db: Queryable,
  tree: string,
  path: string,
): Promise<Version | undefined> {
  const [found] = await select(db, "tree = $1 and path = $2 order by id desc limit 1", tree, path);
  return found;
}

/** The two newest: what is there, and what it replaced. */
export async function newestTwo(
  db: Queryable,
  tree: string,
  path: string,
): Promise<readonly [now: Version | undefined, replaced: Version | undefined]> {
  const [now, replaced] = await versionsOfPath(db, tree, path, 2);
  return [now, replaced];
}

/** The newest version of a path with this content: what is known of such content there. */
export async function versionOfContent(
  db: Queryable,
  tree: string,
  path: string,
  hash: string,
): Promise<Version | undefined> {
  const where = "tree = $1 and path = $2 and hash = $3 order by id desc limit 1";
  const [found] = await select(db, where, tree, path, hash);
  return found;
}

export async function versionById(db: Queryable, id: number): Promise<Version | undefined> {
  const [found] = await select(db, "id = $1", id);
  return found;
}

export function versionsOfKey(db: Queryable, key: string): Promise<Version[]> {
  return select(db, "key = $1 order by id", key);
}

export function versionsOfChange(db: Queryable, tree: string, change: string): Promise<Version[]> {
  return select(db, "tree = $1 and change = $2 order by id", tree, change);
}

/** Newest first. */
export function versionsOfPath(
  db: Queryable,
  tree: string,
  path: string,
  limit: number,
): Promise<Version[]> {
  return select(db, "tree = $1 and path = $2 order by id desc limit $3", tree, path, limit);
}

/** The newest version of every path below a folder, removed ones included; by path. */
export function newestBelow(db: Queryable, tree: string, folder: string): Promise<Version[]> {
  const below = "tree = $1 and ($2 = '' or (path > $2 || '/' and path < $2 || '0'))";
  const newest = `id in (select distinct on (path) id from file_versions
    where ${below} order by path, id desc)`;
  return select(db, `${newest} order by path`, tree, folder);
}

export type NewVersion = Omit<Version, "id">;

export async function addVersion(db: Queryable, version: NewVersion): Promise<Version> {
  const { label, placed, ...rest } = version;
  const columns = COLUMNS.split(", ").slice(1);
  const places = columns.map((_, i) => `$${i + 1}`).join(", ");
  const { rows } = await db.query(
    `insert into file_versions (${columns.join(", ")}) values (${places}) returning id`,
    [
      ...[rest.tree, rest.path, rest.hash, rest.bytes, toText(label), toText(placed), rest.cause],
      ...[rest.key, rest.change, rest.before, rest.state, rest.pid, rest.call, rest.at],
    ],
  );
  return { ...version, id: Number((rows[0] as { id: string }).id) };
}

export async function setState(db: Queryable, id: number, state: VersionState): Promise<void> {
  await db.query("update file_versions set state = $2 where id = $1", [id, state]);
}

/**
 * Trees that stand on this one and have no version of the path get what it has now: what is then
 * changed below them does not change for them.
 */
export async function keepForTreesAbove(
  db: Queryable,
  now: Omit<NewVersion, "cause" | "key" | "change" | "before" | "state" | "pid" | "call">,
): Promise<void> {
  await db.query(
    `insert into file_versions (tree, path, hash, bytes, label, placed, cause, change, state, at)
     select t.tree, $2::text, $3, $4::bigint, $5, $6, 'base', 'base:' || $2::text, 'done',
       $7::bigint
     from file_trees t where t.base = $1 and not exists (
       select 1 from file_versions o where o.tree = t.tree and o.path = $2::text)`,
    [now.tree, now.path, now.hash, now.bytes, toText(now.label), toText(now.placed), now.at],
  );
}

/** @returns the host's folder that the tree stands on, if any */
export async function baseOf(db: Queryable, tree: string): Promise<string | undefined> {
  const { rows } = await db.query("select base from file_trees where tree = $1", [tree]);
  return (rows[0] as { base: string } | undefined)?.base;
}

/** @returns hash of what the tree below had when this one first saw the path, if anything */
export async function firstSeen(
  db: Queryable,
  tree: string,
  path: string,
): Promise<string | undefined> {
  const where = "tree = $1 and path = $2 and cause = 'base' order by id limit 1";
  const [found] = await select(db, where, tree, path);
  return found?.hash;
}

/** One at a time changes a path, over all daemons; freed at the transaction's end. */
export async function lockPath(db: Queryable, tree: string, path: string): Promise<void> {
  const name = JSON.stringify([tree, path]);
  await db.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
}

async function select(db: Queryable, where: string, ...values: unknown[]): Promise<Version[]> {
  const { rows } = await db.query(`select ${COLUMNS} from file_versions where ${where}`, values);
  return rows.map((row) => toVersion(row as Record<string, string | null>));
}

function toVersion(row: Record<string, string | null>): Version {
  return {
    id: Number(row.id),
    tree: row.tree ?? "",
    path: row.path ?? "",
    hash: row.hash ?? undefined,
    bytes: Number(row.bytes),
    label: fromText(row.label),
    placed: fromText(row.placed),
    cause: row.cause ?? "",
    key: row.key ?? undefined,
    change: row.change ?? "",
    before: row.before === null ? undefined : Number(row.before),
    state: row.state as VersionState,
    pid: row.pid === null ? undefined : Number(row.pid),
    call: row.call === null ? undefined : Number(row.call),
    at: Number(row.at),
  };
}

function toText(label: Label): string {
  return JSON.stringify(toLabelJson(label));
}

function fromText(text: string | null | undefined): Label {
  return fromLabelJson(JSON.parse(text ?? "") as Json);
}
