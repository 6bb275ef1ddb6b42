/** One source of a mixture as people see it, in tables and pictures: asked for, and drawn. */
export interface MixtureRow {
  readonly name: string;
  readonly domain: string;
  readonly licence: string;
  /** ISO 639-1 code; undefined: not stated. */
  readonly language: string | undefined;
  /** Share of the rows that the mixture asks for, 0 … 1. */
  readonly requested: number;
  /** Share of the rows that a run draws or drew; undefined: not known yet. */
  readonly realised: number | undefined;
  /** Text to train on. */
  readonly bytes: number;
  /** The same in tokens; undefined: not tokenised yet. */
  readonly tokens: number | undefined;
  /** How often a run sees the source; undefined: not known yet. */
  readonly epochs: number | undefined;
}

/** A slot of a preset that no source fills: it stays visible. */
export interface EmptySlot {
  readonly name: string;
  /** In percent, as the preset has it; its share went to the others. */
  readonly share: number;
}

/** "4.6 %"; small shares keep a second digit. */
export function percent(share: number | undefined): string {
  if (share === undefined) return "-";
  return `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`;
}
