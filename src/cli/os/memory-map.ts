/** The page map of a process in the card's form, whatever memory says of itself. */
import type { Json } from "../../os/security/labelled.ts";
import type { CommandIo } from "../command.ts";
import { renderCard } from "./ticket.ts";

export function renderMemoryMap(map: Json, _io: CommandIo): string {
  return renderCard(map, "");
}
