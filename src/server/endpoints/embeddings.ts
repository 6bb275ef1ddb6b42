/** `POST /v1/embeddings` */
import type { Answer, Call, Endpoint } from "../endpoint.ts";
import { serveWork } from "../service.ts";
import { readEmbeddingRequest, renderEmbeddings } from "../wire/embedding.ts";
import { checkModel } from "../wire/model-field.ts";

export const embeddings: Endpoint = {
  method: "POST",
  paths: ["/v1/embeddings"],
  limited: true,
  async answer({ service, scope, body }: Call): Promise<Answer> {
    const { engine, modelName, limiter } = service;
    const request = readEmbeddingRequest(body, engine);
    checkModel(request.model, modelName);
    const { vectors, promptTokens } = await serveWork(service, scope, () =>
      engine.embed(request.texts, { signal: scope.signal }),
    );
    scope.counts.promptTokens += promptTokens;
    limiter.spend(scope.client, promptTokens);
    return { kind: "json", body: renderEmbeddings(vectors, request, modelName, promptTokens) };
  },
};
