/**
 * The chat page: one conversation with the server it came from. State is the list of exchanges;
 * every change draws the exchange it changed. Nothing is loaded from elsewhere or kept afterwards.
 */
import { mountDials } from "./dials.ts";
import { byId } from "./element.ts";
import { renderExchange } from "./exchange-view.ts";
import { toolDefinitions } from "./page-tools.ts";
import { makeReply } from "./reply.ts";
import { getJson } from "./stream.ts";
import { type Exchange, type Step, toMessages } from "./transcript.ts";

const view = {
  log: byId("log", HTMLElement),
  form: byId("ask", HTMLFormElement),
  question: byId("question", HTMLTextAreaElement),
  send: byId("send", HTMLButtonElement),
  stop: byId("stop", HTMLButtonElement),
  clear: byId("clear", HTMLButtonElement),
  model: byId("model", HTMLSelectElement),
  key: byId("key", HTMLInputElement),
  system: byId("system", HTMLTextAreaElement),
  tools: byId("tools", HTMLInputElement),
  tokens: byId("tokens", HTMLInputElement),
  status: byId("status", HTMLElement),
};
const readDials = mountDials(byId("dials", HTMLElement));

let exchanges: readonly Exchange[] = [];
let running: AbortController | undefined;

/** Asks `question` as exchange number `at`; what stood there and after is forgotten. */
async function ask(question: string, at: number): Promise<void> {
  if (running !== undefined || question.trim() === "") return;
  const controller = new AbortController();
  running = controller;
  exchanges = [...exchanges.slice(0, at), { question, steps: [] }];
  drawAll();
  const before = exchanges.slice(0, at);
  const body = (steps: readonly Step[]): object =>
    requestBody([...before, { question, steps: [...steps] }]);
  try {
    const { signal } = controller;
    for await (const made of makeReply({ body, key: view.key.value, signal }))
      replaceLast(controller, { question, ...made });
  } catch (error) {
    const note = controller.signal.aborted ? "stopped" : String((error as Error).message);
    replaceLast(controller, { ...(exchanges.at(-1) as Exchange), note });
  }
  if (running !== controller) return;
  running = undefined;
  drawAll();
  view.question.focus();
}

function requestBody(asked: readonly Exchange[]): object {
  return {
    model: view.model.value,
    messages: toMessages(view.system.value, asked),
    stream: true,
    stream_options: { include_usage: true },
    ...(view.tokens.checked ? { logprobs: true, top_logprobs: 5 } : {}),
    ...(view.tools.checked ? { tools: toolDefinitions } : {}),
    ...readDials(),
  };
}

/** Whose chat was cleared meanwhile has nothing to replace any more. */
function replaceLast(asker: AbortController, exchange: Exchange): void {
  if (running !== asker) return;
  exchanges = [...exchanges.slice(0, -1), exchange];
  const at = exchanges.length - 1;
  view.log.lastElementChild?.replaceWith(draw(exchange, at));
  view.log.scrollTop = view.log.scrollHeight;
}

function draw(exchange: Exchange, at: number): HTMLElement {
  return renderExchange(exchange, {
    isRunning: running !== undefined,
    showTokens: view.tokens.checked,
    again: () => void ask(exchange.question, at),
    edit: (question) => void ask(question, at),
  });
}

function drawAll(): void {
  view.log.replaceChildren(...exchanges.map(draw));
  view.log.scrollTop = view.log.scrollHeight;
  view.stop.disabled = running === undefined;
  view.send.disabled = running !== undefined;
}

async function listModels(): Promise<void> {
  try {
    const { data } = await getJson<{ data: { id: string }[] }>("/v1/models", view.key.value);
    view.model.replaceChildren(...data.map(({ id }) => new Option(id)));
    view.status.textContent = "";
  } catch (error) {
    view.status.textContent = `models: ${(error as Error).message}`;
  }
}

view.form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = view.question.value;
  if (running !== undefined) return;
  view.question.value = "";
  void ask(question, exchanges.length);
});
view.question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  view.form.requestSubmit();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
});
view.stop.addEventListener("click", () => running?.abort());
view.clear.addEventListener("click", () => {
  running?.abort();
  running = undefined;
  exchanges = [];
  drawAll();
});
view.tokens.addEventListener("change", drawAll);
view.key.addEventListener("change", () => void listModels());
await listModels();
drawAll();
