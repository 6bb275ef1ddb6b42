/**
 * What an endpoint is: one row of the table of routes. It gets the body of a POST, read and parsed,
 * and gives back what to send.
 */
import type { RequestScope } from "./request-scope.ts";
import type { Service } from "./service.ts";

export interface Call {
  readonly service: Service;
  readonly scope: RequestScope;
  /** JSON of a POST; undefined otherwise. */
  readonly body: unknown;
  /** `:name` parts of the path. */
  readonly path: Readonly<Record<string, string>>;
}

export type Answer =
  | { readonly kind: "json"; readonly body: object; readonly status?: number }
  | {
      readonly kind: "text";
      readonly body: string;
      readonly type: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "events";
      readonly frames: AsyncGenerator<string, void>;
      readonly renderError: (error: unknown) => string;
    };

export interface Endpoint {
  readonly method: "GET" | "POST" | "DELETE";
  /** As people write them; all mean the same. */
  readonly paths: readonly string[];
  /** Answers whoever asks, key or not, and does not count. */
  readonly open?: true;
  /** Takes a request from the key's share. */
  readonly limited?: true;
  answer(call: Call): Answer | Promise<Answer>;
}
