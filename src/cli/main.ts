/** The program `nutshell`: this process's words, streams and exit code. */
import { dispatch } from "./dispatch.ts";
import { exitOnClosedPipe } from "./terminal.ts";

exitOnClosedPipe(process.stdout);
process.exitCode = await dispatch(process.argv.slice(2), process);
