/** `GET /v1/models` and `GET /v1/models/:id`: the one model that is served. */
import type { Endpoint } from "../endpoint.ts";
import { toWireModel } from "../wire/model.ts";
import { checkModel } from "../wire/model-field.ts";

export const models: Endpoint = {
  method: "GET",
  paths: ["/v1/models"],
  answer({ service }) {
    const data = [toWireModel(service.engine.model, service.modelName)];
    return { kind: "json", body: { object: "list", data } };
  },
};

/** Names may have slashes in them. */
export const model: Endpoint = {
  method: "GET",
  paths: ["/v1/models/:id{.+}"],
  answer({ service, path }) {
    checkModel(path.id, service.modelName);
    return { kind: "json", body: toWireModel(service.engine.model, service.modelName) };
  },
};
