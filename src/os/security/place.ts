/**
 * Paths and URLs in the one form in which they are compared. What two parsers could read in two
 * ways (`..`, a NUL, `%2e`, a backslash, letters that only look like dots) has no such form and is
 * refused: a name that needs a trick is not worth one. Paths are compared letter by letter, without
 * Unicode normalising, as the disk does; links are the driver's to refuse.
 */

export interface Path {
  /** "" of the process's own tree, "/" of the machine, "proc:7" or the like of another tree. */
  readonly root: string;
  readonly segments: readonly string[];
}

/** Controls, invisible and bidirectional marks, lone surrogates. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** What a decoder behind us may turn into a dot, a separator, a NUL or another escape. */
const encodedTrick = /%(?:2e|2f|5c|00|25)/i;
const maxPath = 4096;
const maxUrl = 8192;

/** @returns undefined when the path climbs, hides or could be read in two ways */
export function toPath(text: string): Path | undefined {
  if (text === "" || text.length > maxPath || unseen.test(text)) return undefined;
  if (text.includes("\\") || text.startsWith("~") || encodedTrick.test(text)) return undefined;
  const root = /^(?:\/|[a-z]+:[^/]*)/i.exec(text)?.[0] ?? "";
  const segments = text
    .slice(root.length)
    .split("/")
    .filter((one) => one !== "" && one !== ".");
  return segments.every(isPlainSegment) ? { root, segments } : undefined;
}

/** No `..`, nothing that some disk strips from the end, nothing that is a separator once folded. */
function isPlainSegment(segment: string): boolean {
  const folded = segment.normalize("NFKC");
  return !/^\.+$|[. ]$/.test(folded) && !/[/\\]/.test(folded);
}

export function isUnder(path: Path, top: Path): boolean {
  return (
    path.root === top.root &&
    path.segments.length >= top.segments.length &&
    top.segments.every((segment, i) => segment === path.segments[i])
  );
}

/** Names that tell this system or git what to do, whoever wrote them; folded. */
const obeyed = /^(?:\.|(?:agents|claude|gemini|skill)\.md$|app\.json$|git~\d+$)|\.git$/;

/** Dotfiles (with them `.git/hooks`, `.ssh`, `.env`) and files that are obeyed, there or not. */
export function isProtected(path: Path): boolean {
  return path.segments.some((segment) => obeyed.test(segment.normalize("NFKC").toLowerCase()));
}

/**
 * An http(s) URL; without a scheme, https is meant. Host in ASCII, lower case, no dot at its end;
 * numbers of IP addresses in their usual form.
 * @returns undefined when it is none, carries credentials, or could be read in two ways
 */
export function toUrl(text: string): URL | undefined {
  if (text.length > maxUrl || unseen.test(text) || /[\s\\]/.test(text)) return undefined;
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  const authority = written.split(/[/?#]/)[2] ?? "";
  if (authority === "" || /[%@]/.test(authority) || !URL.canParse(written)) return undefined;
  const url = new URL(written);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  if (url.hostname.endsWith(".")) url.hostname = url.hostname.slice(0, -1);
  return /^\.|\.\.|\.$|^$/.test(url.hostname) ? undefined : url;
}

/** Exact host and port, or, for ".example.org", that domain and everything below it. */
export function isHostWithin(host: string, pattern: string): boolean {
  const exact = toUrl(pattern.startsWith(".") ? pattern.slice(1) : pattern);
  if (exact === undefined || exact.href !== `https://${exact.host}/`) return false;
  if (host === exact.host) return true;
  return pattern.startsWith(".") && !isAddress(exact.hostname) && host.endsWith(`.${exact.host}`);
}

/** Numbers of an IP address have no domains below them. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^[\d.]+$/.test(hostname);
}

/** Path of a URL at or below `top`, by whole segments. An encoded separator is neither. */
export function isUrlPathUnder(pathname: string, top: string): boolean {
  if (encodedTrick.test(pathname)) return false;
  const base = top.endsWith("/") ? top : `${top}/`;
  return pathname === top || pathname.startsWith(base);
}
