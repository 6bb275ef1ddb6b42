/**
 * A piece of a text around a place, for people: cut at white space where there is some near.
 */
export interface Excerpt {
  readonly excerpt: string;
  /** The place inside `excerpt`, [start, end); null when there is none to point at. */
  readonly highlight: readonly [start: number, end: number] | null;
}

const DOTS = "…";

/**
 * @param place UTF-16 offsets [start, end) in `text`; undefined: the beginning is shown
 * @param room UTF-16 units on either side of the place
 */
export function excerptAround(
  text: string,
  place: readonly [start: number, end: number] | undefined,
  room = 120,
): Excerpt {
  const [start, longEnd] = place ?? [0, 0];
  const end = Math.min(longEnd, start + 2 * room);
  const from = place === undefined ? 0 : wordBorder(text, Math.max(0, start - room), 1);
  const to = wordBorder(
    text,
    Math.min(text.length, end + (place === undefined ? 2 * room : room)),
    -1,
  );
  const safeFrom = Math.min(from, start);
  const safeTo = Math.max(to, end);
  const head = safeFrom > 0 ? DOTS : "";
  const tail = safeTo < text.length ? DOTS : "";
  const excerpt = head + text.slice(safeFrom, safeTo) + tail;
  if (place === undefined) return { excerpt, highlight: null };
  const shift = head.length - safeFrom;
  return { excerpt, highlight: [start + shift, end + shift] };
}

/** Where the text stands that a rule's detail quotes at its beginning, whatever its case. */
export function placeOfQuoted(
  text: string,
  detail: string | null,
): readonly [start: number, end: number] | undefined {
  const quoted = /^"(.+?)" stands /s.exec(detail ?? "")?.[1];
  const at = quoted === undefined ? -1 : text.toLowerCase().indexOf(quoted.toLowerCase());
  return quoted === undefined || at < 0 ? undefined : [at, at + quoted.length];
}

/** The nearest white space within 20 units in a direction, else the place itself. */
function wordBorder(text: string, at: number, direction: 1 | -1): number {
  if (at <= 0 || at >= text.length) return at;
  for (let step = 0; step < 20; step++) {
    const i = at + step * direction;
    if (/\s/.test(text[i] ?? " ")) return i;
  }
  // Between the halves of a character there is no border.
  return /[\udc00-\udfff]/.test(text[at] ?? "") ? at + 1 : at;
}
