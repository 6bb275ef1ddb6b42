/** `POST /v1/completions` */
import type { Answer, Call, Endpoint } from "../endpoint.ts";
import { serveGeneration } from "../service.ts";
import { completionChunks, completionReply } from "../wire/completion-reply.ts";
import { readCompletionRequest } from "../wire/completion-request.ts";
import { checkModel } from "../wire/model-field.ts";
import { createHead, renderError } from "./chat.ts";

export const completions: Endpoint = {
  method: "POST",
  paths: ["/v1/completions"],
  limited: true,
  async answer({ service, scope, body }: Call): Promise<Answer> {
    const { engine, modelName } = service;
    const request = readCompletionRequest(body, engine);
    checkModel(request.model, modelName);
    const head = createHead("cmpl", modelName);
    const events = serveGeneration(service, scope, request);
    if (!request.stream)
      return { kind: "json", body: await completionReply(events, request, head, engine) };
    const frames = completionChunks(events, request, head, engine);
    return { kind: "events", frames, renderError };
  },
};
