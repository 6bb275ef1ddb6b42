/** Versions of a forked tree: what it begins with, out of those of the tree that it is made of. */
import type { Queryable } from "./files-versions.ts";

/** Of a fork: only what stood there before this call of a process. */
export interface Moment {
  readonly pid: number;
  readonly call: number;
}

/** @returns the first version that is later than the moment: a bound for ids */
export async function firstAfter(db: Queryable, tree: string, moment?: Moment): Promise<number> {
  const where = "tree = $1 and pid = $2 and call >= $3";
  const { rows } = await db.query(`select min(id) as id from file_versions where ${where}`, [
    ...[tree, moment?.pid ?? null, moment?.call ?? null],
  ]);
  return Number((rows[0] as { id: string | null }).id ?? Number.MAX_SAFE_INTEGER);
}

const COPIED = "path, hash, bytes, label, placed, cause, change, before, pid, call, at";

export async function setBase(db: Queryable, tree: string, base: string): Promise<void> {
  await db.query("insert into file_trees (tree, base) values ($1, $2) on conflict do nothing", [
    tree,
    base,
  ]);
}

/** Every path's newest version below `bound`; undo goes on into the past that both share. */
export async function copyVersions(
  db: Queryable,
  from: string,
  to: string,
  bound: number,
): Promise<void> {
  await db.query(
    `insert into file_versions (tree, state, ${COPIED}) select $2, 'done', ${COPIED}
     from file_versions where tree = $1 and (cause = 'base' or id in (
       select distinct on (path) id from file_versions where tree = $1 and id < $3
       order by path, id desc))
     and not exists (select 1 from file_versions where tree = $2) order by id`,
    [from, to, bound],
  );
}

/** What the host's folder had at `bound`, where it was changed since, for a tree that stands on it. */
export async function keepAsOf(
  db: Queryable,
  base: string,
  tree: string,
  bound: number,
): Promise<void> {
  await db.query(
    `insert into file_versions (tree, path, hash, bytes, label, placed, cause, change, state, at)
     select $2, c.path, v.hash, coalesce(v.bytes, 0), coalesce(v.label, c.label),
       coalesce(v.placed, c.placed), 'base', 'base:' || c.path, 'done',
       coalesce(v.at, c.at)
     from (select distinct on (path) * from file_versions where tree = $1 and id >= $3
       order by path, id) c
     left join lateral (select * from file_versions o
       where o.tree = $1 and o.path = c.path and o.id < $3 order by id desc limit 1) v on true
     where not exists (select 1 from file_versions o where o.tree = $2 and o.path = c.path)`,
    [base, tree, bound],
  );
}
