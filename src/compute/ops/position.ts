/**
 * Where the tokens of a batch stand and lie. One first position for a whole batch, or one for each
 * row, so that texts of different lengths go through one program. And which pages of a cache hold a
 * text: a cache is P pages of G tokens, and position j of text b lies in page pages[b, floor(j / G)]
 * at j mod G. Texts may share pages that they only read. Pages of the table that are not in
 * [0, P) are missing; nothing is read from or written to them.
 */
import { type Data, shapeError, type TensorType } from "../graph.ts";
import { sameShape } from "../shape.ts";

/** @throws SHAPE unless `first` is an i32 scalar or i32 [B] */
export function checkFirst(where: string, first: TensorType, B: number): void {
  const [count, ...rest] = first.shape;
  if (first.dtype === "i32" && (count === undefined || (count === B && rest.length === 0))) return;
  throw shapeError(where, `the first position must be an i32 scalar or i32 [${B}]`, [first]);
}

/** The first position of row b. */
export const firstOfRow = (first: Data, b: number): number => first[first.length > 1 ? b : 0];

/** Tokens of a page are a multiple of this, so that no vector of keys crosses from one to another. */
const PAGE_UNIT = 16;

/** A cache of P pages of G tokens; each text has M of them. */
export interface PageSizes {
  readonly P: number;
  readonly G: number;
  readonly M: number;
}

/**
 * @param pages i32 [B, M]; absent: the cache has a page for each text
 * @throws SHAPE when the table does not fit; a text of one page may have one of any length
 */
export function pageSizes(
  where: string,
  cache: TensorType,
  B: number,
  pages: TensorType | undefined,
): PageSizes {
  const [P, G] = cache.shape;
  const M = pages === undefined ? 1 : pages.shape[1];
  if (pages !== undefined && (pages.dtype !== "i32" || !sameShape(pages.shape, [B, M])))
    throw shapeError(where, `the page table must be i32 [${B}, M]`, [pages]);
  if (pages === undefined && P !== B)
    throw shapeError(where, `a cache without a page table must have ${B} rows`, [cache]);
  if (M > 1 && G % PAGE_UNIT !== 0)
    throw shapeError(where, `pages must hold a multiple of ${PAGE_UNIT} tokens`, [cache]);
  return { P, G, M };
}

/** The slot of position j in the cache's P·G slots, or -1 when it has none. */
export function slotOf(
  { P, G, M }: PageSizes,
  pages: Data | undefined,
  b: number,
  j: number,
): number {
  if (j < 0 || j >= M * G) return -1;
  const page = pages === undefined ? b : pages[b * M + Math.floor(j / G)];
  return page >= 0 && page < P ? page * G + (j % G) : -1;
}

/** How far the keys from position `from` on reach: to the first missing page, or to the end. */
export function endOfPages(
  sizes: PageSizes,
  pages: Data | undefined,
  b: number,
  from: number,
): number {
  const { G, M } = sizes;
  for (let j = from; j < M * G; j += G - (j % G)) if (slotOf(sizes, pages, b, j) < 0) return j;
  return M * G;
}
