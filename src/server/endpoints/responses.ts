/**
 * `POST /v1/responses`, and what is kept of them: `GET` and `DELETE /v1/responses/:id`. A response
 * that ended well is kept unless `store` is false; the next one may go on from it.
 */
import type { Answer, Call, Endpoint } from "../endpoint.ts";
import { renderEvent } from "../event-stream.ts";
import type { GenerationEvent } from "../generate.ts";
import { serveGeneration } from "../service.ts";
import { checkModel } from "../wire/model-field.ts";
import { Refusal } from "../wire/refusal.ts";
import { type ResponseRequest, readResponseRequest } from "../wire/response-request.ts";
import { type ResponseEvent, ResponseWriter } from "../wire/response-writer.ts";
import { createHead } from "./chat.ts";

export const createResponse: Endpoint = {
  method: "POST",
  paths: ["/v1/responses"],
  limited: true,
  async answer(call: Call): Promise<Answer> {
    const { service, scope, body } = call;
    const find = (id: string) => service.stored.get(scope.client, id)?.messages;
    const request = readResponseRequest(body, service.engine, find);
    checkModel(request.model, service.modelName);
    const writer = new ResponseWriter(request, createHead("resp", service.modelName));
    const events = serveGeneration(service, scope, request);
    if (request.stream)
      return {
        kind: "events",
        frames: responseEvents(events, writer, () => keep(call, request, writer)),
        renderError: (error) => renderEvents(writer.fail(error)),
      };
    for await (const event of events) writer.add(event);
    keep(call, request, writer);
    return { kind: "json", body: writer.body() };
  },
};

async function* responseEvents(
  events: AsyncIterable<GenerationEvent>,
  writer: ResponseWriter,
  keepResponse: () => void,
): AsyncGenerator<string, void> {
  for await (const event of events) {
    const made =
      event.type === "prompt" ? [...writer.begin(), ...writer.add(event)] : writer.add(event);
    // Before the last event: who reads it may go on at once.
    if (event.type === "ended") keepResponse();
    if (made.length > 0) yield renderEvents(made);
  }
  yield renderEvent("[DONE]");
}

function renderEvents(events: readonly ResponseEvent[]): string {
  return events.map((event) => renderEvent(event, event.type)).join("");
}

function keep({ service, scope }: Call, request: ResponseRequest, writer: ResponseWriter): void {
  if (!request.store) return;
  const messages = [...request.messages, writer.message()];
  service.stored.set(scope.client, writer.id, { body: writer.body(), messages });
}

export const readResponse: Endpoint = {
  method: "GET",
  paths: ["/v1/responses/:id"],
  answer({ service, scope, path: { id = "" } }) {
    const stored = service.stored.get(scope.client, id);
    if (stored === undefined) throw noResponse();
    return { kind: "json", body: stored.body };
  },
};

export const deleteResponse: Endpoint = {
  method: "DELETE",
  paths: ["/v1/responses/:id"],
  answer({ service, scope, path: { id = "" } }) {
    if (!service.stored.delete(scope.client, id)) throw noResponse();
    return { kind: "json", body: { id, object: "response", deleted: true } };
  },
};

function noResponse(): Refusal {
  return new Refusal(404, "There is no such response, or not any more.", {
    param: "id",
    code: "not_found",
  });
}
