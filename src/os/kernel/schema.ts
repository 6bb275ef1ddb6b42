/**
 * Tables of the kernel, shared by all daemons. Invariants that Postgres itself holds:
 * - a record is appended by `journal_append` alone, under the lock of its process's row, and its
 *   hash covers the record before it;
 * - a call has at most one intent and one result (unique index);
 * - rows of several processes are locked in the order of their numbers, ancestors first, so that
 *   charges, signals and spawns never deadlock;
 * - whatever a waiting process or daemon should see is followed by a NOTIFY of the pid.
 * JSON lies in `text`, not `jsonb`: exactly as it was hashed, and U+0000 is allowed.
 */

const tables = `
create table process (
  pid integer generated always as identity primary key,
  parent integer,
  -- Ancestors from the root, and itself: budgets are charged along it, also after an adoption.
  path integer[] not null,
  grp integer not null,
  program text not null,
  title text not null,
  owner text not null,
  input text not null,
  pc text not null,
  user_turn text,
  key text unique,
  state text not null default 'ready',
  stopped boolean not null default false,
  current text,
  -- The process whose deed ends the present wait, where nothing else can.
  waits_for integer,
  -- Waits of calls up to this one are over, and what a TERM leaves of its life.
  interrupted integer not null default 0,
  kill_at bigint,
  calls integer not null default 0,
  nice integer not null,
  interactive boolean not null,
  deadline bigint,
  limit_tokens bigint, limit_usd bigint, limit_calls bigint, limit_bits double precision,
  ends_at bigint,
  spent_tokens bigint not null default 0,
  spent_usd bigint not null default 0,
  spent_calls bigint not null default 0,
  capabilities text not null,
  -- Counts grants and revokes: a call whose gates saw other rights does not open.
  rights integer not null default 0,
  approvals text not null,
  file_tree text not null,
  -- Attempts to get out of circles, and the call at which this one began.
  unstuck integer not null default 0,
  forked_at integer,
  -- One run of the workflow at a time: whoever holds this token may write the journal.
  runner text,
  executor text,
  exit text,
  exit_labels text,
  started_at bigint not null,
  ended_at bigint,
  head_index integer not null default 0,
  head_hash text not null default '',
  anchored integer not null default 0
) with (fillfactor = 60);
create index process_parent on process (parent);
create index process_path on process using gin (path);
create index process_alive on process (pid) where ended_at is null;

create table journal (
  pid integer not null, index integer not null, kind text not null, call integer,
  at bigint not null, body text not null, hash text not null,
  primary key (pid, index)
);
create unique index journal_once on journal (pid, call, kind) where kind in ('intent', 'result');

create table mail (
  id bigint generated always as identity primary key,
  recipient integer not null, sender integer not null, key text not null unique,
  body text not null, root text not null, sent_at bigint not null, taken_by text unique
);
create index mail_open on mail (recipient, id) where taken_by is null;

create table ticket (
  id integer generated always as identity primary key,
  pid integer not null, call integer not null, kind text not null, argument text,
  state text not null default 'open',
  card text not null, request text, seal text, created_at bigint not null,
  expires_at bigint, answer text
);
create index ticket_call on ticket (pid, call, kind);
create unique index ticket_unknown on ticket (pid, call) where kind = 'unknown';

create table endorsement (
  pid integer not null, call text not null, argument text not null, digest text not null,
  primary key (pid, call, argument, digest)
);

create table host_process (
  boot text not null, os_pid integer not null, started text not null,
  pid integer not null, mark text not null,
  daemon_pid integer not null, daemon_started text not null,
  primary key (boot, os_pid, started)
);
create index host_process_pid on host_process (pid);

create table secret (name text primary key, bytes bytea not null);
`;

const append = `
create function journal_append(p integer, k text, c integer, t bigint, b text) returns integer
language sql as $$
  with head as (
    update process set head_index = head_index + 1,
      head_hash = encode(sha256(convert_to(
        concat_ws(E'\\n', head_hash, p, head_index + 1, k, coalesce(c::text, ''), t, b), 'UTF8')), 'hex')
    where pid = p returning head_index, head_hash
  )
  insert into journal (pid, index, kind, call, at, body, hash)
  select p, head_index, k, c, t, b, head_hash from head returning index
$$;
`;

/**
 * One record of a running call: state, budget, approval and journal in one step and one round trip.
 * `strict`: it opens the call, so that a stop and a budget hold it back; else it closes it.
 * Returns "ok", or what forbids it: "ended", "lost" (another run took over), "stopped", "taken",
 * "rights" (they changed since the gates), "ticket", or "budget WHICH".
 */
const write = `
create function journal_write(
  p integer, chain integer[], run text, k text, c integer, t bigint, b text,
  strict boolean, becomes text, name text, tokens bigint, usd bigint, n bigint, tkt integer, seen integer
) returns text language plpgsql as $$
declare
  me record;
  over text;
begin
  perform 1 from process where pid = any(chain) order by pid for no key update;
  select state, stopped, runner, rights into me from process where pid = p;
  if me.state in ('zombie', 'dead') then return 'ended'; end if;
  if me.runner is distinct from run then return 'lost'; end if;
  if exists (select from journal where pid = p and call = c and kind = k) then return 'taken'; end if;
  if strict then
    if me.stopped then return 'stopped'; end if;
    if me.rights <> seen then return 'rights'; end if;
    select case when spent_calls + n > limit_calls then 'calls'
      when spent_tokens + tokens > limit_tokens then 'tokens'
      when spent_usd + usd > limit_usd then 'microUsd' else 'ms' end into over
    from process where pid = any(chain) and (spent_calls + n > limit_calls
      or spent_tokens + tokens > limit_tokens or spent_usd + usd > limit_usd or ends_at <= t)
    limit 1;
    if over is not null then return 'budget ' || over; end if;
    if tkt is not null then
      update ticket set state = 'used'
        where id = tkt and state = 'granted' and (expires_at is null or expires_at > t);
      if not found then return 'ticket'; end if;
    end if;
  end if;
  update process set spent_tokens = spent_tokens + tokens, spent_usd = spent_usd + usd,
    spent_calls = spent_calls + n where pid = any(chain);
  perform journal_append(p, k, c, t, b);
  update process set state = becomes, current = name, waits_for = null,
    calls = greatest(calls, c) where pid = p;
  return 'ok';
end $$;
`;

export const kernelVersions: readonly string[] = [tables + append + write];
