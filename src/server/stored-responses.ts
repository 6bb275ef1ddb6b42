/**
 * Responses that a next request may go on from, in memory and bounded: by number and by bytes; the
 * ones that were not asked for longest go first. A key sees its own only.
 */
import type { Message } from "../llm/chat/conversation.ts";

export interface StoredResponse {
  /** As it went over the wire. */
  readonly body: object;
  /** All that was said, the reply included; without instructions, which hold for one response. */
  readonly messages: readonly Message[];
}

export interface StoredResponses {
  get(client: string, id: string): StoredResponse | undefined;
  set(client: string, id: string, response: StoredResponse): void;
  /** @returns whether it was there */
  delete(client: string, id: string): boolean;
}

interface Entry extends StoredResponse {
  readonly client: string;
  readonly bytes: number;
}

export function createStoredResponses(most: number, mostBytes: number): StoredResponses {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const drop = (id: string): void => {
    bytes -= entries.get(id)?.bytes ?? 0;
    entries.delete(id);
  };
  const find = (client: string, id: string): Entry | undefined => {
    const entry = entries.get(id);
    return entry?.client === client ? entry : undefined;
  };
  return {
    get(client, id) {
      const entry = find(client, id);
      if (entry === undefined) return undefined;
      entries.delete(id);
      entries.set(id, entry);
      return entry;
    },
    set(client, id, response) {
      drop(id);
      const size = JSON.stringify(response).length * 2;
      entries.set(id, { ...response, client, bytes: size });
      bytes += size;
      for (const oldest of entries.keys()) {
        if (entries.size <= most && bytes <= mostBytes) break;
        drop(oldest);
      }
    },
    delete(client, id) {
      const found = find(client, id) !== undefined;
      if (found) drop(id);
      return found;
    },
  };
}
