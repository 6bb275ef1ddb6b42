/** What preparing tells people: lines that stay, and how far a piece of work is. */

export interface PrepareProgress {
  /** "cleaning", "tokenising wikipedia". */
  readonly phase: string;
  readonly done: number;
  /** Absent when nobody knows. */
  readonly total?: number;
  readonly unit: string;
}

export interface PrepareTalk {
  say(text: string): void;
  progress(progress: PrepareProgress): void;
}
