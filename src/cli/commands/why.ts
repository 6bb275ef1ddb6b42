/** `nutshell why PID CALL`: what the policy knew of a call, and which rules spoke. */
import { NutshellError } from "../../error.ts";
import { inertLine } from "../../inert-text.ts";
import type { OptionTableFor } from "../../options.ts";
import type { IntentBody, JournalRecord } from "../../os/kernel/kernel.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { renderLabels, tryIntent } from "../os/trace.ts";
import { pidWord, readNumber, readPid } from "../os/words.ts";

export const command: Command<OptionTableFor<HomeValues>> = defineCommand({
  name: "why",
  summary: "why a call was allowed, asked about or denied",
  example: "nutshell why 12 3",
  options: homeOption,
  positionals: [pidWord, { name: "CALL", doc: "Its number, as strace shows it.", required: true }],
  async run(values, io, { positionals }) {
    const pid = readPid("why", positionals[0]);
    const call = readNumber("why", "CALL", positionals[1]);
    const records = await connect(values).call("journal", { pid });
    const body = tryIntent(records, call);
    if (body === undefined)
      throw new NutshellError(
        "PROCESS",
        `why: no such call, got ${call} of pid ${pid}. See nutshell strace ${pid}.`,
      );
    if (io.json) io.stdout(`${JSON.stringify({ pid, call, ...body })}\n`);
    else
      io.stdout(
        renderWhy(
          body,
          records.filter((record) => record.call === call),
        ),
      );
  },
});

function renderWhy(body: IntentBody, records: readonly JournalRecord[]): string {
  const { name, args, labels, pc, verdict, effect } = body;
  const lines = [
    `${name} (${effect}): ${verdict.kind}`,
    ...verdict.reasons.map(({ rule, argument, text }) => {
      return `  ${rule}${argument === undefined ? "" : `, argument ${argument}`}: ${inertLine(text)}`;
    }),
    ...Object.entries(args ?? {}).map(([argument, value]) => {
      return `  ${inertLine(argument, 60)} = ${inertLine(JSON.stringify(value), 120)}`;
    }),
    `  arguments: ${renderLabels(labels)}`,
    `  decided by: ${renderLabels(pc)}`,
    ...records
      .filter(({ kind }) => kind === "ticket")
      .map(({ body }) => `  ${inertLine(body, 200)}`),
  ];
  return `${lines.join("\n")}\n`;
}
