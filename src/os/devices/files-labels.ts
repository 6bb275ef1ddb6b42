/** Labels of what a call stores: content keeps its own, joined with whatever chose it. */
import type { CallContext } from "../kernel/syscall.ts";
import { bottom, join, type Label } from "../security/label.ts";
import { type Labelled, partLabels, wholeLabel } from "../security/labelled.ts";
import type { Version } from "./files-versions.ts";

/** Everything that chose what is stored. */
export function chosenBy(args: Labelled, { pc }: CallContext): Label {
  return join(wholeLabel(args.labels), pc);
}

/** What chose where it stands: the paths alone. */
export function placedBy(args: Labelled, { pc }: CallContext): Label {
  let label = pc;
  for (const name of ["path", "from", "to"])
    if (Object.hasOwn(args.value as object, name))
      label = join(label, wholeLabel(partLabels(args.labels, name)));
  return label;
}

export function labelOfAll(versions: readonly Version[]): Label {
  let all = bottom;
  for (const { label, placed } of versions) all = join(all, join(label, placed));
  return all;
}
