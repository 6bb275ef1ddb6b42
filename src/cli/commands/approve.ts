/**
 * `nutshell approve`: what waits for a person, and the person's answer. Without a number it lists
 * what is open; a yes counts once, for exactly what the card shows.
 */
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import type { TicketAnswer } from "../../os/kernel/kernel.ts";
import type { Json } from "../../os/security/labelled.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { renderTicket } from "../os/ticket.ts";
import { readNumber } from "../os/words.ts";

interface ApproveValues extends HomeValues {
  deny: boolean;
  reply: string | undefined;
  happened: string | undefined;
  didNotHappen: boolean;
}

export const command: Command<OptionTableFor<ApproveValues>> = defineCommand({
  name: "approve",
  summary: "lists what waits for a person, and answers it",
  example: "nutshell approve",
  options: {
    ...homeOption,
    deny: { type: "boolean", value: false, doc: "The answer is no." },
    reply: { type: "string?", value: undefined, doc: "To a question: the answer." },
    happened: {
      type: "string?",
      value: undefined,
      placeholder: "JSON",
      doc: "Of an unknown outcome: it happened, with this result (null when there is none).",
    },
    didNotHappen: { type: "boolean", value: false, doc: "Of an unknown outcome: it did not." },
  },
  positionals: [{ name: "TICKET", doc: "Its number; absent: list what is open.", required: false }],
  async run(values, io, { positionals: [word] }) {
    const control = connect(values);
    if (word === undefined) {
      const tickets = await control.call("tickets", {});
      io.stdout(io.json ? `${JSON.stringify(tickets)}\n` : tickets.map(renderTicket).join("\n"));
      if (tickets.length === 0) io.stderr("nothing waits for a person\n");
      return;
    }
    const ticket = readNumber("approve", "TICKET", word);
    const answer = toAnswer(values);
    await control.call("answer", { ticket, answer });
    if (io.json) io.stdout(`${JSON.stringify({ ticket, answer })}\n`);
  },
});

function toAnswer({ deny, reply, happened, didNotHappen }: ApproveValues): TicketAnswer {
  const given: (TicketAnswer | undefined)[] = [
    deny ? { kind: "deny" } : undefined,
    reply === undefined ? undefined : { kind: "reply", text: reply },
    happened === undefined ? undefined : { kind: "happened", value: parseValue(happened) },
    didNotHappen ? { kind: "did-not-happen" } : undefined,
  ];
  const [answer, other] = given.filter((one) => one !== undefined);
  if (other === undefined) return answer ?? { kind: "grant" };
  throw new NutshellError("USAGE", `approve: one answer, got ${answer?.kind} and ${other.kind}.`);
}

function parseValue(text: string): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NutshellError("USAGE", `approve: --happened must be JSON, got ${text}.`, { cause });
  }
}
