/** One exchange as elements: the question, which can be edited, and the reply with its steps. */
import { button, element } from "./element.ts";
import { renderTokens } from "./token-view.ts";
import type { Exchange, Step } from "./transcript.ts";

export interface ExchangeActions {
  readonly isRunning: boolean;
  readonly showTokens: boolean;
  readonly again: () => void;
  readonly edit: (question: string) => void;
}

export function renderExchange(exchange: Exchange, actions: ExchangeActions): HTMLElement {
  const { question, steps, note, speed } = exchange;
  const parts: HTMLElement[] = steps.flatMap((step) => renderStep(step, actions.showTokens));
  if (note !== undefined) parts.push(element("p", { className: "note", textContent: note }));
  const foot = element("footer", {}, actions.isRunning ? [] : footer(speed, actions));
  const asked = element("div", { className: "question" }, [
    element("p", { textContent: question }),
  ]);
  if (!actions.isRunning)
    asked.append(button("Edit", "quiet edit", () => editIn(asked, question, actions)));
  const reply = element("div", { className: "reply" }, [...parts, foot]);
  return element("article", { className: "exchange" }, [asked, reply]);
}

function renderStep({ content, tokens, calls, results }: Step, showTokens: boolean): HTMLElement[] {
  const showsTokens = showTokens && tokens.length > 0;
  const text = showsTokens ? renderTokens(tokens) : element("p", { textContent: content });
  const lines = calls.flatMap(({ function: { name, arguments: given } }, i) => [
    element("p", { className: "call", textContent: `→ ${name} ${given}` }),
    ...(results[i] === undefined
      ? []
      : [element("p", { className: "result", textContent: `← ${results[i]}` })]),
  ]);
  return content === "" && !showsTokens ? lines : [text, ...lines];
}

function footer(speed: Exchange["speed"], { again }: ExchangeActions): (Node | string)[] {
  const regenerate = button("Regenerate", "quiet again", again);
  if (speed === undefined) return [regenerate];
  const { tokens, rate } = speed;
  const said = `${tokens} tokens, ${rate.toFixed(0)} tokens/s`;
  return [element("span", { className: "speed", textContent: said }), regenerate];
}

function editIn(asked: HTMLElement, question: string, { edit }: ExchangeActions): void {
  const before = [...asked.childNodes];
  const field = element("textarea", { value: question, rows: 2, ariaLabel: "Edited question" });
  const send = button("Send", "send-edit", () => edit(field.value));
  const cancel = button("Cancel", "quiet", () => asked.replaceChildren(...before));
  asked.replaceChildren(field, element("div", { className: "edit-actions" }, [send, cancel]));
  field.focus();
}
