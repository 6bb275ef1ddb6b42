/**
 * Originals: bytes in the blob store under their hash, what is known of them in Postgres. A text is
 * never changed, and comes back bit for bit, halves of surrogate pairs included.
 */
import type pg from "pg";
import type { BlobStore } from "../../durable/blobs.ts";
import { inertLine } from "../../inert-text.ts";
import { DeviceError } from "../kernel/device-error.ts";
import { fromLabelTreeJson, toLabelTreeJson } from "../security/label-json.ts";
import type { LabelTree } from "../security/labelled.ts";
import { wordsForIndex } from "./index-words.ts";
import type { PageKind } from "./page.ts";
import type { Ref } from "./space.ts";

/** Bytes of one text. */
export const MOST_BYTES: number = 2 ** 20;

export interface StoredText extends Ref {
  readonly owner: string;
  readonly space: string;
  readonly kind: PageKind;
  readonly title: string;
  readonly hash: string;
  readonly coding: "utf-8" | "utf-16le";
  readonly bytes: number;
  readonly tokens: number;
  readonly labels: LabelTree;
  /** The call that put it away, and when: milliseconds since 1970. */
  readonly call: number;
  readonly at: number;
}

/** @throws DeviceError ARGUMENTS above the limit; NutshellError DISK */
export async function putText(
  blobs: BlobStore,
  text: string,
): Promise<Pick<StoredText, "hash" | "coding" | "bytes">> {
  // UTF-8 has no form for half a surrogate pair; a text that has one is kept in its own units.
  const coding = text.isWellFormed() ? "utf-8" : "utf-16le";
  const bytes = Buffer.from(text, coding);
  if (bytes.length > MOST_BYTES) {
    const rule = `memory: a page must have at most ${MOST_BYTES} bytes, got ${bytes.length}`;
    throw new DeviceError(`${rule}. Put it into a file, or into several pages.`, {
      code: "ARGUMENTS",
    });
  }
  return { hash: await blobs.put(bytes), coding, bytes: bytes.length };
}

export async function getText(
  blobs: BlobStore,
  { hash, coding }: Pick<StoredText, "hash" | "coding">,
): Promise<string> {
  return Buffer.from(await blobs.get(hash)).toString(coding);
}

/** Titles go to people and into prompts: one line, nothing hidden in it. */
export function titleOf(title: string): string {
  return inertLine(title, 120);
}

export async function insertText(client: pg.PoolClient, text: StoredText): Promise<void> {
  const { pid, n, owner, space, kind, title, hash, coding, bytes, tokens, call, at } = text;
  const labels = JSON.stringify(toLabelTreeJson(text.labels));
  await client.query(
    `insert into memory_text (pid, n, owner, space, kind, title, hash, coding, bytes, tokens,
       labels, call, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [pid, n, owner, space, kind, title, hash, coding, bytes, tokens, labels, call, at],
  );
}

/** Makes it findable by its words. */
export async function indexText(client: pg.PoolClient, ref: Ref, text: string): Promise<void> {
  await client.query(
    `update memory_text set words = to_tsvector('simple', $3) || to_tsvector('english', $3)
     where pid = $1 and n = $2`,
    [ref.pid, ref.n, wordsForIndex(text)],
  );
}

/** Columns of `StoredText`, and whether it is forgotten. */
export const textColumns: string =
  "t.pid, t.n, t.owner, t.space, t.kind, t.title, t.hash, t.coding, t.bytes, t.tokens, " +
  "t.labels, t.call, t.at, t.forgotten";

export interface TextRow extends Omit<StoredText, "labels" | "at"> {
  readonly labels: string;
  readonly at: string;
  readonly forgotten: string | null;
}

/** @throws NutshellError DENIED when the labels cannot be read: such a text is nobody's */
export function fromTextRow({ labels, at, forgotten, ...row }: TextRow): StoredText {
  return { ...row, labels: fromLabelTreeJson(JSON.parse(labels)), at: Number(at) };
}

export async function findText(pool: pg.Pool, ref: Ref): Promise<TextRow | undefined> {
  const { rows } = await pool.query<TextRow>(
    `select ${textColumns} from memory_text t where pid = $1 and n = $2`,
    [ref.pid, ref.n],
  );
  return rows[0];
}
