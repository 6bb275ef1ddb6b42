/**
 * The data that a stage is given: a file, or a folder, which is either laid out as the known sets
 * are or else holds files that are a source each, however deep they lie.
 */
import { existsSync, statSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { NutshellError } from "../../error.ts";
import { listFiles } from "../data/sources/list-files.node.ts";
import type { TextSource } from "./source.ts";

/** Data sets that may lie beside the checkout. */
export const BESIDE: string = fileURLToPath(new URL("../../../../shared/data", import.meta.url));

const FILE = /\.jsonl(\.gz)?$/i;

/** What a file is to be read as. */
export interface GivenKind<S> {
  /** For messages: conversations, rankings. */
  readonly plural: string;
  /** Ends the message when there is nothing of the kind. */
  readonly hint: string;
  /** @returns the known sets that lie in a folder */
  known(folder: string): S[];
  /** @param about what can be said of any file */
  open(path: string, about: Omit<TextSource<never>, "read">): S;
}

/** @throws DATA when there is nothing of the kind */
export function findGiven<S>(data: string, kind: GivenKind<S>): S[] {
  const { plural, hint } = kind;
  if (!existsSync(data))
    throw new NutshellError(
      "DATA",
      `${data}: ${plural} must be a file or folder, got none. ${hint}`,
    );
  const open = (path: string): S => kind.open(path, describeFile(path));
  if (!statSync(data).isDirectory()) return [open(data)];
  const known = kind.known(data);
  if (known.length > 0) return known;
  const files = listFiles(data, { file: (name) => FILE.test(name) });
  if (files.length > 0) return files.map(({ path }) => open(path));
  throw new NutshellError(
    "DATA",
    `${data}: a folder of ${plural} must hold .jsonl files, got none. ${hint}`,
  );
}

function describeFile(path: string): Omit<TextSource<never>, "read"> {
  const file = basename(path);
  const name = file.replace(FILE, "");
  return { name, licence: "not stated", card: `The file ${file}.`, use: "train" };
}
