/** A daemon that starts a shell for process 1 of the database at URL, and is then killed. */
import { openDatabase } from "../../../src/durable/database.ts";
import { createHostProcesses } from "../../../src/os/kernel/host-process.ts";

const [url = "", script = ""] = process.argv.slice(2);
const host = createHostProcesses(await openDatabase(url));
await host.spawn(1, "/bin/sh", ["-c", script]);
process.kill(process.pid, "SIGKILL");
