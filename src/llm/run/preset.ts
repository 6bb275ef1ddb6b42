/** Named starting points of a stage's configuration; a file and flags go over them. */

/** What it is for, and what it sets. */
export interface Preset<C> {
  readonly doc: string;
  readonly values: Partial<C>;
}

export type Presets<Name extends string, C> = Readonly<Record<Name, Preset<C>>>;

/** The sizes that every stage has. */
export type PresetName = "tiny" | "kernel" | "laptop";
