/** A model as `/v1/models` tells of it: OpenAI's fields, and how long a context it has. */
import type { ModelInfo } from "../../llm/inference/engine.ts";

export interface WireModel {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
  readonly max_model_len: number;
}

export function toWireModel(model: ModelInfo, id: string): WireModel {
  return {
    id,
    object: "model",
    created: Math.floor(model.created),
    owned_by: model.provider,
    max_model_len: model.contextLen,
  };
}
