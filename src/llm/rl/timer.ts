/** Where the time of a step goes: each lap is booked under a name, until the laps are taken. */

export type Lap = "waiting" | "generating" | "scoring" | "learning";

/** Milliseconds. Waiting is all that is not one of the others: measuring, saving, printing. */
export type Laps = Readonly<Record<Lap, number>>;

export interface Timer {
  /** Books the time since the last call under `name`. */
  lap(name: Lap): void;
  /** @returns what was booked since the last `take` */
  take(): Laps;
}

export function startTimer(): Timer {
  const none = { waiting: 0, generating: 0, scoring: 0, learning: 0 };
  let booked: Record<Lap, number> = { ...none };
  let last = performance.now();
  return {
    lap(name) {
      const now = performance.now();
      booked[name] += now - last;
      last = now;
    },
    take() {
      const taken = booked;
      booked = { ...none };
      return taken;
    },
  };
}
