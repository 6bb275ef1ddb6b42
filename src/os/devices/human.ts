/**
 * The person at the other end. A question waits as a ticket, across restarts; what the person types
 * is labelled `user`, and the kernel joins the label of the question, which may have led the answer.
 * What a person is shown is inert text: nothing in it moves a cursor, loads or hides.
 */
import { inertLines } from "../../inert-text.ts";
import type { CallContext, Syscall } from "../kernel/syscall.ts";
import { fromUser } from "../security/label.ts";
import { type Json, type Labelled, wholeLabel } from "../security/labelled.ts";
import type { Device } from "./device.ts";

const MAX_LENGTH = 20_000;

interface Question {
  readonly question: string;
  readonly choices?: readonly string[];
}

const text = { type: "string", minLength: 1, maxLength: MAX_LENGTH };

const rows: readonly Syscall[] = [
  {
    name: "human.ask",
    doc: "Asks the person a question and waits for the answer; choices are shown as a list.",
    args: {
      type: "object",
      properties: {
        question: text,
        choices: { type: "array", items: { ...text, maxLength: 200 }, maxItems: 20 },
      },
      required: ["question"],
      additionalProperties: false,
    },
    effect: "idempotent", // A question that stands open is found again, not put twice.
    access: "read", // To ask a person whether a person may be asked helps nobody.
    sinks: {},
    waits: true,
    run: async (args, context) => ({
      value: await context.ask(cardOf(args, context)),
      labels: { label: fromUser },
    }),
  },
  {
    name: "human.tell",
    doc: "Shows the person a text.",
    args: {
      type: "object",
      properties: { text },
      required: ["text"],
      additionalProperties: false,
    },
    effect: "idempotent", // Shells show it out of the journal, once for each call.
    access: "read",
    sinks: {},
    run: async ({ value }) => ({
      value: inertLines((value as { readonly text: string }).text),
      labels: { label: fromUser },
    }),
  },
];

/** Made by code: the text, and which sources shaped it. */
function cardOf({ value, labels }: Labelled, { pc }: CallContext): Json {
  const { question, choices } = value as unknown as Question;
  const sources = new Set([...wholeLabel(labels).integrity, ...pc.integrity]);
  return {
    question: inertLines(question),
    ...(choices === undefined ? {} : { choices: choices.map((choice) => inertLines(choice)) }),
    from: [...sources].sort().map((source) => inertLines(source)),
  };
}

export function createHumanDevice(): Device {
  return {
    name: "human",
    calls: rows,
    check: async () => ({ ok: true, text: "questions wait as tickets" }),
    [Symbol.asyncDispose]: async () => {},
  };
}
