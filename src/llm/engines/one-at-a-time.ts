/** A session serves one call at a time: what a second one beside it would mean nobody could say. */
import { NutshellError } from "../../error.ts";

/** @returns takes the session until what it returns is disposed; throws CONFIG while it is taken */
export function oneAtATime(): () => Disposable {
  let busy = false;
  return () => {
    if (busy)
      throw new NutshellError("CONFIG", "session: one call at a time, got a second beside it.");
    busy = true;
    return {
      [Symbol.dispose]() {
        busy = false;
      },
    };
  };
}
