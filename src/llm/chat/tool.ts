/**
 * What a tool is: a name, a schema for people and models, and a pure function of its arguments and
 * of the small world that a conversation brings along. A failure is a result that the model reads.
 */

/** The world of one conversation; a tool reads nothing else. */
export interface ToolContext {
  /** What the clock shows. */
  readonly now: Date;
  /** Text files by name. */
  readonly files: Readonly<Record<string, string>>;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments' object. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /**
   * @param args the parsed arguments, of any shape
   * @returns the result's text; "error: …" when the arguments do not fit
   */
  run(args: unknown, context: ToolContext): string;
}
