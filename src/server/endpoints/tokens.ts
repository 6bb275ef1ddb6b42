/** `POST /tokenize` and `POST /detokenize`, with or without `/v1` before them. */
import type { Endpoint } from "../endpoint.ts";
import { checkModel } from "../wire/model-field.ts";
import { detokenize, tokenize } from "../wire/token.ts";

export const tokenizeText: Endpoint = {
  method: "POST",
  paths: ["/tokenize", "/v1/tokenize"],
  limited: true,
  answer({ service, body }) {
    const { model, reply } = tokenize(body, service.engine);
    checkModel(model, service.modelName);
    return { kind: "json", body: reply };
  },
};

export const detokenizeIds: Endpoint = {
  method: "POST",
  paths: ["/detokenize", "/v1/detokenize"],
  limited: true,
  answer({ service, body }) {
    const { model, reply } = detokenize(body, service.engine);
    checkModel(model, service.modelName);
    return { kind: "json", body: reply };
  },
};
