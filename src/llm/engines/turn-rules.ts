/** From what is asked of a text to what each of its tokens may be; compiled once, used often. */
import { NutshellError } from "../../error.ts";
import type { Constraint, ConstraintCompiler } from "../inference/constraint/constraint.ts";
import type { Format, GenerateOptions, ToolChoice, ToolDefinition } from "../inference/engine.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ChatFormat } from "./chat-format.ts";
import { type TurnCalls, type TurnRules, textIds } from "./turn-mask.ts";

export interface RuleBook {
  /** Of the assistant's turn. @throws CONFIG, UNSUPPORTED */
  turn(options: GenerateOptions, tools: readonly ToolDefinition[]): TurnRules;
  /** Of text without a template; absent where everything may follow. @throws CONFIG, UNSUPPORTED */
  text(options: GenerateOptions): TurnRules | undefined;
  /** Ids that end a text without a template. */
  readonly textEnds: ReadonlySet<number>;
}

/** Constraints that are kept compiled. */
const MOST_COMPILED = 64;

export function createRuleBook(
  tokenizer: Tokenizer,
  { chat, ends }: { chat: ChatFormat | undefined; ends: ReadonlySet<number> | undefined },
  compiler: ConstraintCompiler,
): RuleBook {
  const compiled = new Map<string, () => Constraint>();
  const textEnds = new Set(ends);
  if (tokenizer.bos !== undefined) textEnds.add(tokenizer.bos);
  let ids: Uint32Array | undefined;
  const text = (): Uint32Array => (ids ??= textIds(tokenizer));

  function compile(what: unknown, make: () => () => Constraint): () => Constraint {
    const key = JSON.stringify(what);
    const begin = compiled.get(key) ?? make();
    compiled.delete(key); // Put behind all others: the first is the one that was not used longest.
    compiled.set(key, begin);
    for (const [oldest] of compiled) if (compiled.size > MOST_COMPILED) compiled.delete(oldest);
    return begin;
  }

  function begin(format: Format | undefined): Constraint | undefined {
    if (format === undefined || format.kind === "text") return undefined;
    return compile(format, () => compileFormat(format, compiler))();
  }

  function calls(choice: ToolChoice, tools: readonly ToolDefinition[]): TurnCalls | undefined {
    checkChoice(choice, tools);
    const format = chat?.calls;
    if (format === undefined || tools.length === 0) return undefined;
    const named =
      typeof choice === "object" ? tools.filter(({ name }) => name === choice.name) : tools;
    const begin = compile({ tools: named }, () => format.constrain(named, compiler));
    const words = { auto: "may", none: "never", required: "must" } as const;
    const { start, end } = format;
    return { start, end, begin, choice: typeof choice === "object" ? "one" : words[choice] };
  }

  return {
    textEnds,
    turn: ({ format, toolChoice = "auto" }, tools) => ({
      text: text(),
      ends: chat?.ends ?? [],
      calls: calls(toolChoice, tools),
      format: begin(format),
    }),
    text({ format: asked, toolChoice = "auto" }) {
      checkChoice(toolChoice, []);
      const format = begin(asked);
      return format && { text: text(), ends: textEnds, format };
    },
  };
}

function compileFormat(
  format: Exclude<Format, { kind: "text" }>,
  compiler: ConstraintCompiler,
): () => Constraint {
  if (format.kind === "json") return compiler.json();
  return format.kind === "grammar"
    ? compiler.grammar(format.grammar)
    : compiler.jsonSchema(format.schema);
}

function checkChoice(choice: ToolChoice, tools: readonly ToolDefinition[]): void {
  const offered = tools.map(({ name }) => name);
  const isOffered = typeof choice === "object" ? offered.includes(choice.name) : tools.length > 0;
  if (choice === "auto" || choice === "none" || isOffered) return;
  throw new NutshellError(
    "CONFIG",
    `generate: toolChoice must be of an offered tool, got ${JSON.stringify(choice)}; ` +
      `offered: ${offered.join(", ") || "none"}.`,
  );
}
