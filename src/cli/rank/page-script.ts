/**
 * What the labelling page does, as plain browser JavaScript in a string. State: `order`, places of
 * the answers from best to worst; the first `picked` of them are ranked; `ties` holds the
 * positions that are as good as the one above. Text of models is only ever set as text content.
 */

export const pageScript = `
"use strict";
const $ = (id) => document.getElementById(id);
let question, order = [], picked = 0, ties = new Set(), dragged, busy = false;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

async function send(path, body) {
  if (busy) return;
  busy = true;
  $("notice").textContent = "";
  try {
    const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body),
      headers: { "content-type": "application/json" } };
    const answer = await fetch(path, options);
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.error);
    show(result);
    return true;
  } catch (error) {
    $("notice").textContent = "Not saved: " + error.message + ". Is nutshell rank still running?";
  } finally {
    busy = false;
  }
}

function show(result) {
  const { done, total, canUndo } = result.progress;
  $("count").textContent = done + " of " + total;
  $("filled").style.width = (total ? 100 * done / total : 100) + "%";
  $("undo").disabled = !canUndo;
  question = result.question;
  for (const id of ["skip", "cannot"]) $(id).disabled = !question;
  $("work").hidden = !question;
  $("end").hidden = !!question;
  order = question ? question.answers.map((_, place) => place) : [];
  picked = 0;
  ties = new Set();
  if (question) $("prompt").replaceChildren(...question.prompt.map(turn));
  draw();
  scrollTo(0, 0);
}

function turn(message) {
  const box = element("div", "turn " + message.role);
  box.append(element("small", "", message.role), message.content);
  for (const call of message.toolCalls || []) box.append("\\n" + call.name + " " + call.arguments);
  return box;
}

const isWhole = () => order.length > 0 && picked === order.length;

function ranks() {
  let rank = 0;
  return order.map((_, at) => (at >= picked ? undefined : ties.has(at) && at > 0 ? rank : (rank = at + 1)));
}

function draw() {
  const numbers = ranks();
  const rows = order.flatMap((place, at) => {
    const item = element("li");
    if (at > 0 && at < picked) item.append(tieButton(at));
    else if (at > 0) item.append(element("span", "tie", ""));
    item.append(card(place, at, numbers[at]));
    return item;
  });
  $("answers").replaceChildren(...rows);
  $("save").disabled = !isWhole();
}

function tieButton(at) {
  const on = ties.has(at);
  const button = element("button", on ? "tie on" : "tie", on ? "= equally good" : "better than ↓   (click: equal)");
  button.type = "button";
  button.onclick = () => { on ? ties.delete(at) : ties.add(at); draw(); };
  return button;
}

function card(place, at, rank) {
  const box = element("div", rank === undefined ? "card" : "card picked");
  box.tabIndex = 0;
  box.draggable = true;
  box.append(element("kbd", "", String(place + 1)), element("p", "", question.answers[place]));
  box.append(element("span", "rank", rank === undefined ? "" : "#" + rank));
  box.onclick = () => pick(place);
  box.ondragstart = (event) => { dragged = at; box.classList.add("dragged");
    event.dataTransfer.setData("text/plain", String(at)); };
  box.ondragend = () => { dragged = undefined; draw(); };
  box.ondragover = (event) => event.preventDefault();
  box.ondrop = (event) => { event.preventDefault(); move(dragged, at); };
  return box;
}

/** The next best, or, a second time, not ranked any more. */
function pick(place) {
  const at = order.indexOf(place);
  if (at < 0) return;
  order.splice(at, 1);
  ties = new Set([...ties].filter((tie) => tie < at));
  if (at < picked) { picked--; order.push(place); }
  else { order.splice(picked, 0, place); picked++; }
  if (picked === order.length - 1 && at >= picked - 1) picked++;
  draw();
}

/** After a drag what is seen is the ranking. */
function move(from, to) {
  if (from === undefined || from === to) return;
  order.splice(to, 0, ...order.splice(from, 1));
  picked = order.length;
  ties = new Set();
  draw();
}

function tieLast() {
  const at = picked - 1;
  if (at < 1) return;
  ties.has(at) ? ties.delete(at) : ties.add(at);
  draw();
}

function groups() {
  const found = [];
  order.forEach((place, at) => {
    if (at > 0 && ties.has(at)) found[found.length - 1].push(place);
    else found.push([place]);
  });
  return found;
}

async function finish() {
  if (!(await send("finish", {}))) return;
  $("finish").hidden = true;
  $("undo").disabled = true;
  $("last").textContent = "Every ranking is saved. You may close this page.";
}

const acts = {
  save: () => isWhole() && send("rank", { id: question.id, groups: groups() }),
  skip: () => question && send("skip", { id: question.id }),
  cannot: () => question && send("cannot-say", { id: question.id }),
  undo: () => !$("undo").disabled && send("undo", {}),
  finish,
};
for (const [id, act] of Object.entries(acts)) $(id).onclick = act;
const keys = { Enter: "save", s: "skip", c: "cannot", u: "undo" };
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const place = Number(event.key) - 1;
  if (question && Number.isInteger(place) && place >= 0 && place < order.length) pick(place);
  else if (event.key === "=") tieLast();
  else if (event.key === "Backspace" && picked > 0) pick(order[picked - 1]);
  else if (keys[event.key]) acts[keys[event.key]]();
  else return;
  event.preventDefault();
});
send("question");
`;
