/** `POST /v1/chat/completions` */
import { randomBytes } from "node:crypto";
import type { Answer, Call, Endpoint } from "../endpoint.ts";
import { renderEvent } from "../event-stream.ts";
import { serveGeneration } from "../service.ts";
import { chatChunks, chatReply, type ReplyHead } from "../wire/chat-reply.ts";
import { readChatRequest } from "../wire/chat-request.ts";
import { checkModel } from "../wire/model-field.ts";
import { renderRefusal, toRefusal } from "../wire/refusal.ts";

export const chat: Endpoint = {
  method: "POST",
  paths: ["/v1/chat/completions"],
  limited: true,
  async answer({ service, scope, body }: Call): Promise<Answer> {
    const request = readChatRequest(body, service.engine);
    checkModel(request.model, service.modelName);
    const head = createHead("chatcmpl", service.modelName);
    const events = serveGeneration(service, scope, request);
    if (!request.stream) return { kind: "json", body: await chatReply(events, request, head) };
    return { kind: "events", frames: chatChunks(events, request, head), renderError };
  },
};

/** @param prefix of the id, as clients know it */
export function createHead(prefix: string, model: string): ReplyHead {
  const id = `${prefix}-${randomBytes(15).toString("base64url")}`;
  return { id, created: Math.floor(Date.now() / 1000), model };
}

/** The last event of a stream that broke off. */
export function renderError(error: unknown): string {
  return renderEvent(renderRefusal(toRefusal(error)));
}
