/**
 * Option tables: a stage's configuration or a command's flags, declared once. Types, defaults,
 * command-line flags, `--help`, validation and the stored config all derive from the table.
 */

/** One row. `flag` defaults to the key in kebab-case; `check` returns what is wrong, if anything. */
export interface Option<T> {
  readonly value: T;
  readonly doc: string;
  readonly flag?: string;
  readonly placeholder?: string;
  readonly choices?: readonly T[];
  readonly check?: (value: NonNullable<T>) => string | undefined;
}

/** `undefined` in T means "may be absent"; the row then names its `type` as the default cannot. */
export type OptionRow =
  | (Option<number> & { readonly type: "number" | "integer" })
  | (Option<number | undefined> & { readonly type: "number?" | "integer?" })
  | (Option<string> & { readonly type: "string" })
  | (Option<string | undefined> & { readonly type: "string?" })
  | (Option<boolean> & { readonly type: "boolean" });

export type OptionTable = Readonly<Record<string, OptionRow>>;

interface TypeOf {
  number: number;
  integer: number;
  string: string;
  boolean: boolean;
  "number?": number | undefined;
  "integer?": number | undefined;
  "string?": string | undefined;
}

/** The plain object that a table describes. */
export type OptionValues<T extends OptionTable> = { -readonly [K in keyof T]: TypeOf[T[K]["type"]] };
