/**
 * The archive: texts found by their words and by their meaning. Words by Postgres, where each is
 * worth the more the fewer texts have it; meaning by an exact scan over the vectors of the texts
 * that the process may read. The two orders are fused by reciprocal rank. Vectors are made when
 * somebody searches, so that writing needs no model and none that fails is in its way.
 *
 * A text can change a list only by standing in it, or through how many texts have a word: the
 * labels of what is in the list are the list's.
 * @see Robertson, Zaragoza 2009 (BM25's idf); Cormack, Clarke, Buettcher 2009 (reciprocal rank)
 */
import type pg from "pg";
import type { BlobStore } from "../../durable/blobs.ts";
import { wordsForIndex } from "./index-words.ts";
import type { Embedder } from "./models.ts";
import { type Ref, refOf } from "./space.ts";
import { fromTextRow, getText, type StoredText, type TextRow, textColumns } from "./text-store.ts";

export interface Query {
  readonly text: string;
  readonly owner: string;
  readonly spaces: readonly string[];
  readonly limit: number;
  readonly signal: AbortSignal;
}

export interface Found {
  readonly text: StoredText;
  /** Ranks from 1 in the two orders, where it is in them. */
  readonly byWords?: number;
  readonly byMeaning?: number;
  readonly score: number;
}

export interface Archive {
  readonly pool: pg.Pool;
  readonly blobs: BlobStore;
  readonly embedder?: Embedder;
}

/** Each order is read this many times as deep as the answer is long. */
const DEPTH = 4;
const FUSION = 60;

/** Best first. */
export async function searchArchive(archive: Archive, query: Query): Promise<readonly Found[]> {
  const words = await byWords(archive.pool, query);
  const meaning = archive.embedder === undefined ? [] : await byMeaning(archive, query);
  const ranks = new Map<string, { ref: Ref; byWords?: number; byMeaning?: number }>();
  for (const [i, ref] of words.entries()) ranks.set(refOf(ref), { ref, byWords: i + 1 });
  for (const [i, ref] of meaning.entries()) {
    ranks.set(refOf(ref), { ref, ...ranks.get(refOf(ref)), byMeaning: i + 1 });
  }
  const fused = [...ranks.values()].map((one) => ({ ...one, score: fuse(one) }));
  const best = fused.sort((a, b) => b.score - a.score || compareRefs(a.ref, b.ref));
  return readTexts(archive.pool, best.slice(0, query.limit));
}

function fuse({ byWords, byMeaning }: Pick<Found, "byWords" | "byMeaning">): number {
  const ranks = [byWords, byMeaning].filter((rank) => rank !== undefined);
  return ranks.reduce((sum, rank) => sum + 1 / (FUSION + rank), 0);
}

function compareRefs(a: Ref, b: Ref): number {
  return a.pid - b.pid || a.n - b.n;
}

/** What a process may find: its spaces' texts that are not forgotten. */
const findable = "owner = $1 and space = any($2) and forgotten is null";
/** Words of a query that count; the rest of a long one is left out. */
const MOST_WORDS = 64;

async function byWords(pool: pg.Pool, query: Query): Promise<readonly Ref[]> {
  const words = wordsForIndex(query.text.slice(0, 4000));
  const { rows } = await pool.query<Ref>(
    `with word as (
       select ('''' || lexeme || '''')::tsquery q
       from unnest(to_tsvector('simple', $3) || to_tsvector('english', $3))
       -- "of" and "the" count where there is nothing else.
       where to_tsvector('english', lexeme) <> '' or to_tsvector('english', $3) = ''
       limit ${MOST_WORDS}
     ), every as (
       select count(*)::float8 n from memory_text where ${findable} and words is not null
     ), counted as materialized (
       select q, (select count(*)::float8 from memory_text where ${findable} and words @@ q) df
       from word
     )
     select pid, n from (
       select t.pid, t.n, sum(ln(1 + (every.n - df + 0.5) / (df + 0.5)) * ts_rank(words, q, 1)) score
       from every, counted join memory_text t on words @@ q
       where df > 0 and ${findable} group by t.pid, t.n
     ) ranked order by score desc, pid, n limit $4`,
    [query.owner, query.spaces, words, query.limit * DEPTH],
  );
  return rows;
}

/** Texts that are embedded at once; of each, this many characters from its start. */
const [BATCH, MOST_CHARACTERS] = [32, 2000];

async function byMeaning(archive: Archive, query: Query): Promise<readonly Ref[]> {
  const embedder = archive.embedder as Embedder;
  const asked = await embedMissing(archive, embedder, query);
  if (asked === undefined) return [];
  const { rows } = await archive.pool.query<Ref & { vector: Buffer }>(
    `select pid, n, vector from memory_text where ${findable} and vector_model = $3`,
    [query.owner, query.spaces, embedder.model],
  );
  const scored = rows.map(({ pid, n, vector }) => ({ pid, n, score: dot(asked, vector) }));
  return scored
    .sort((a, b) => b.score - a.score || compareRefs(a, b))
    .slice(0, query.limit * DEPTH);
}

/** @returns the query's own vector; undefined when the model does not answer: words alone then */
async function embedMissing(
  { pool, blobs }: Archive,
  embedder: Embedder,
  { text, owner, spaces, signal }: Query,
): Promise<Float32Array | undefined> {
  try {
    for (;;) {
      const { rows } = await pool.query<TextRow>(
        `select ${textColumns} from memory_text t where ${findable} and words is not null
           and vector_model is distinct from $3 order by pid, n limit ${BATCH}`,
        [owner, spaces, embedder.model],
      );
      if (rows.length === 0) break;
      const texts = await Promise.all(rows.map((row) => getText(blobs, row)));
      const vectors = await embedder.embed(texts.map(embeddable), signal);
      await saveVectors(pool, embedder.model, rows, vectors);
    }
    return (await embedder.embed([embeddable(text)], signal))[0];
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Models want something, and no broken character. */
function embeddable(text: string): string {
  return text.slice(0, MOST_CHARACTERS).toWellFormed() || " ";
}

async function saveVectors(
  pool: pg.Pool,
  model: string,
  refs: readonly Ref[],
  vectors: readonly Float32Array[],
): Promise<void> {
  const bytes = vectors.map(({ buffer, byteOffset, byteLength }) => {
    return Buffer.from(buffer, byteOffset, byteLength);
  });
  await pool.query(
    `update memory_text t set vector = made.vector, vector_model = $4
     from unnest($1::int[], $2::int[], $3::bytea[]) made (pid, n, vector)
     where t.pid = made.pid and t.n = made.n`,
    [refs.map(({ pid }) => pid), refs.map(({ n }) => n), bytes, model],
  );
}

function dot(a: Float32Array, bytes: Buffer): number {
  // Rows come at any address; a view needs one that is a multiple of four.
  const b = new Float32Array(new Uint8Array(bytes).buffer);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

async function readTexts(
  pool: pg.Pool,
  best: readonly (Omit<Found, "text"> & { readonly ref: Ref })[],
): Promise<readonly Found[]> {
  const { rows } = await pool.query<TextRow>(
    `select ${textColumns} from memory_text t
       join unnest($1::int[], $2::int[]) wanted (pid, n) on t.pid = wanted.pid and t.n = wanted.n`,
    [best.map(({ ref }) => ref.pid), best.map(({ ref }) => ref.n)],
  );
  const texts = new Map(rows.map((row) => [refOf(row), fromTextRow(row)]));
  return best.flatMap(({ ref, ...found }) => {
    const text = texts.get(refOf(ref));
    return text === undefined ? [] : [{ ...found, text }];
  });
}

/** The surroundings of the first of the query's words that stands in a text. */
export function excerptOf(text: string, query: string, characters: number): string {
  const lower = text.toLowerCase();
  const words = wordsForIndex(query).split(" ");
  const places = words.flatMap((word) => (word === "" ? [] : [lower.indexOf(word)]));
  const first = Math.min(...places.filter((place) => place >= 0), text.length);
  const from = first === text.length ? 0 : Math.max(0, first - Math.floor(characters / 4));
  return text.slice(from, from + characters).toWellFormed();
}
