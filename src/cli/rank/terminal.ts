/**
 * Ranking at a terminal: a question, its answers with numbers, and one line of reply for each:
 * `2 1=3 4` (best first, = for equally good), or a letter for everything else.
 */
import type { Message } from "../../llm/chat/conversation.ts";
import type { Question, RankSession } from "./session.ts";

const HELP =
  "Best first, for example: 2 1=3 4 (= equally good) | s skip | c can't say | u undo | q quit";

/**
 * Until everything is ranked, the lines end or somebody quits.
 * @param lines what is typed  @param say a line to show
 */
export async function rankAtTerminal(
  session: RankSession,
  lines: AsyncIterable<string>,
  say: (text: string) => void,
): Promise<void> {
  say(renderQuestion(session));
  if (session.current() === undefined) return;
  for await (const line of lines) {
    const question = session.current();
    if (question === undefined || line.trim() === "q") return;
    const problem = act(session, question, line.trim());
    say(problem ?? renderQuestion(session));
    if (session.current() === undefined) return;
  }
}

/** @returns what is wrong with the line, if anything */
function act(session: RankSession, { id, answers }: Question, line: string): string | undefined {
  if (line === "s") return void session.skip(id);
  if (line === "c") return void session.cannotSay(id);
  if (line === "u") return session.undo() ? undefined : "There is nothing to undo.";
  const groups = tryParseOrder(line, answers.length);
  if (groups === undefined) return `Each of 1 to ${answers.length} once. ${HELP}`;
  session.rank(id, groups);
  return undefined;
}

/** @returns places from 0, best group first; undefined when a number is missing or twice there */
export function tryParseOrder(line: string, count: number): number[][] | undefined {
  const groups = line
    .replace(/\s*=\s*/g, "=")
    .split(/[\s,>]+/)
    .filter((word) => word !== "")
    .map((word) => word.split("=").map((number) => Number(number) - 1));
  const places = groups.flat().sort((a, b) => a - b);
  const isWhole = places.length === count && places.every((place, i) => place === i);
  return isWhole ? groups : undefined;
}

function renderQuestion(session: RankSession): string {
  const { done, total } = session.progress();
  const question = session.current();
  if (question === undefined) return `\nAll ${total} done.`;
  const answers = question.answers.map((text, i) => `  ${i + 1}  ${indent(text)}`);
  const head = `\n── ${done + 1} of ${total} ${"─".repeat(40)}`;
  return [head, ...question.prompt.map(renderTurn), "", ...answers, "", HELP].join("\n");
}

function renderTurn({ role, content }: Message): string {
  return `${role}: ${content}`;
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n     ");
}
