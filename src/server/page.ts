/**
 * The chat page's files, read once when first asked for: what `src/web/chat.html` needs and
 * nothing else. Modules are the sources themselves with their types stripped, found by walking the
 * imports, so that the page has no build and no second copy of the calculator.
 */
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { dirname, posix } from "node:path";
import { fileURLToPath } from "node:url";

export interface PageFile {
  readonly type: string;
  readonly body: string;
}

/** By the path of the URL. */
export type Page = ReadonlyMap<string, PageFile>;

/** What the browser may do with the page: talk to its own server, and nothing else. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

const SOURCES = dirname(dirname(fileURLToPath(import.meta.url)));
const PREFIX = "/page/";
const IMPORT = /\bfrom\s*"(\.[^"]+\.ts)"/g;

export async function loadPage(): Promise<Page> {
  const page = new Map<string, PageFile>();
  const read = (path: string): Promise<string> => readFile(`${SOURCES}/${path}`, "utf8");
  page.set("/", { type: "text/html; charset=utf-8", body: await read("web/chat.html") });
  const style = { type: "text/css; charset=utf-8", body: await read("web/chat.css") };
  page.set(`${PREFIX}web/chat.css`, style);
  await addModule(page, "web/chat.ts", read);
  return page;
}

/** And all that it imports. */
async function addModule(
  page: Map<string, PageFile>,
  path: string,
  read: (path: string) => Promise<string>,
): Promise<void> {
  if (page.has(PREFIX + path)) return;
  const body = stripTypes(await read(path));
  page.set(PREFIX + path, { type: "text/javascript; charset=utf-8", body });
  for (const [, name] of body.matchAll(IMPORT))
    await addModule(page, posix.join(posix.dirname(path), name as string), read);
}

/** Node 24 warns at the first use that this function may change; the version of Node is pinned. */
function stripTypes(code: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(code);
  } finally {
    process.emitWarning = emitWarning;
  }
}
