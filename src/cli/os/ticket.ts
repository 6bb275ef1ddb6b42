/** A card as a person reads it: every word of it was made inert by the kernel. */
import { inertLine } from "../../inert-text.ts";
import type { Ticket } from "../../os/kernel/kernel.ts";
import type { Json } from "../../os/security/labelled.ts";

const HOW: Readonly<Record<Ticket["kind"], (id: number) => string>> = {
  approve: (id) => `yes: nutshell approve ${id}    no: nutshell approve ${id} --deny`,
  endorse: (id) => `I vouch for it: nutshell approve ${id}    no: nutshell approve ${id} --deny`,
  question: (id) => `nutshell approve ${id} --reply "…"`,
  unknown: (id) =>
    `nutshell approve ${id} --happened null    or: nutshell approve ${id} --did-not-happen`,
};

export function renderTicket(ticket: Ticket): string {
  const { id, pid, call, kind, card, expiresAt } = ticket;
  const until = expiresAt === undefined ? "" : `, until ${new Date(expiresAt).toISOString()}`;
  const head = `#${id} ${kind}, pid ${pid}, call ${call}${until}`;
  return `${head}\n${renderCard(card, "  ")}  ${HOW[kind](id)}\n`;
}

/** Nested values as indented lines; a text is one line. */
export function renderCard(card: Json, indent: string): string {
  if (card === null || typeof card !== "object") return `${indent}${leaf(card)}\n`;
  return Object.entries(card)
    .map(([key, value]) => {
      const label = Array.isArray(card) ? "-" : `${inertLine(key, 100)}:`;
      if (value === null || typeof value !== "object") return `${indent}${label} ${leaf(value)}\n`;
      return `${indent}${label}\n${renderCard(value, `${indent}  `)}`;
    })
    .join("");
}

function leaf(value: Json): string {
  return typeof value === "string" ? inertLine(value, 2000) : JSON.stringify(value);
}
