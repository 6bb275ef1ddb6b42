/**
 * A chat on a terminal: a line is a question or a command. Ctrl-C stops a reply; at the prompt it
 * clears the line, and ends the chat when the line is empty. Ctrl-D ends it as well.
 */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { CommandIo } from "../command.ts";
import { isAboutTheQuestion, type Session } from "./session.ts";
import { dim } from "./show-reply.ts";

const HELP =
  "/reset forgets what was said, /quit ends, Ctrl-C stops a reply. All else is for the model.";

interface Commands {
  readonly [word: string]:
    | ((session: Session, lines: Interface, io: CommandIo) => void)
    | undefined;
}

const commands: Commands = {
  "/help": (_session, _lines, io) => io.stderr(dim(HELP, io)),
  "/reset": (session, _lines, io) => {
    session.reset();
    io.stderr(dim("forgotten; the system message stays", io));
  },
  "/quit": (_session, lines) => lines.close(),
};

/** @param input a terminal's keys */
export async function chatAtTerminal(
  session: Session,
  input: NodeJS.ReadableStream,
  io: CommandIo,
): Promise<void> {
  const output = promptStream(io);
  const { signal } = io;
  const lines = createInterface({ input, output, terminal: true, prompt: "> ", signal });
  let closed = false;
  lines.once("close", () => {
    closed = true;
  });
  let reply: AbortController | undefined;
  lines.on("SIGINT", () => {
    if (reply !== undefined && !reply.signal.aborted) reply.abort();
    else if (reply === undefined && lines.line !== "") lines.write(null, { ctrl: true, name: "u" });
    else lines.close();
  });
  io.stderr(dim("/help says what can be typed", io));
  lines.prompt();
  for await (const line of lines) {
    const text = line.trim();
    const command = text.startsWith("/") ? (commands[text] ?? commands["/help"]) : undefined;
    if (command !== undefined) command(session, lines, io);
    else if (text !== "") {
      reply = new AbortController();
      await askAtTerminal(session, text, AbortSignal.any([signal, reply.signal]), io);
      reply = undefined;
    }
    if (closed) break;
    lines.prompt();
  }
  io.stderr("\n"); // What comes next does not stand behind the prompt.
}

/** What is wrong with one question is said, and the chat goes on. */
async function askAtTerminal(
  session: Session,
  question: string,
  signal: AbortSignal,
  io: CommandIo,
): Promise<void> {
  try {
    await session.ask(question, signal);
  } catch (error) {
    if (!isAboutTheQuestion(error)) throw error;
    io.stderr(`${error.code} ${error.message}\n`);
  }
}

/** Where readline draws the line that is being typed: the screen that is stderr. */
function promptStream(io: CommandIo): NodeJS.WritableStream {
  const stream = new Writable({
    write(chunk, _encoding, done) {
      io.stderr(String(chunk));
      done();
    },
  });
  return Object.assign(stream, { columns: io.columns, isTTY: true });
}
