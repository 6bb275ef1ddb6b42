/** What is asked of a remote model against what its provider knows: nothing is ignored in silence. */
import { NutshellError } from "../../error.ts";
import type { GenerateOptions } from "../inference/engine.ts";
import { checkSampler } from "../inference/sampler.ts";
import { checkGenerate } from "./check-generate.ts";
import { type ProviderName, providers, type RemoteOption } from "./remote-provider.ts";

/** Is it asked for? What changes nothing is not. */
const asked: Readonly<
  Record<Exclude<RemoteOption, "resume">, (options: GenerateOptions) => boolean>
> = {
  topK: ({ sampling }) => sampling?.topK !== undefined,
  topP: ({ sampling }) => (sampling?.topP ?? 1) !== 1,
  minP: ({ sampling }) => (sampling?.minP ?? 0) !== 0,
  repetitionPenalty: ({ sampling }) => (sampling?.repetitionPenalty ?? 1) !== 1,
  presencePenalty: ({ sampling }) => (sampling?.presencePenalty ?? 0) !== 0,
  frequencyPenalty: ({ sampling }) => (sampling?.frequencyPenalty ?? 0) !== 0,
  logitBias: ({ sampling }) => (sampling?.logitBias?.size ?? 0) > 0,
  seed: ({ sampling }) => sampling?.seed !== undefined,
  logprobs: ({ logprobs }) => logprobs !== undefined,
  toolChoice: ({ toolChoice = "auto" }) => toolChoice !== "auto" && toolChoice !== "none",
  json: ({ format }) => format?.kind === "json",
  "json-schema": ({ format }) => format?.kind === "json-schema",
  grammar: ({ format }) => format?.kind === "grammar",
};

/** @throws CONFIG when an option breaks its rule, UNSUPPORTED when the provider has none such */
export function checkRemote(
  provider: ProviderName,
  options: GenerateOptions,
  resumes: boolean,
): void {
  checkGenerate(options);
  checkSampler({ ...options.sampling, temperature: options.sampling?.temperature ?? 1 });
  const wanted = Object.entries(asked).filter(([, isAsked]) => isAsked(options));
  const names = wanted.map(([name]) => name as RemoteOption);
  for (const name of resumes ? [...names, "resume" as const] : names)
    if (providers[provider].lacks.has(name)) throw lacking(provider, name);
}

function lacking(provider: ProviderName, option: RemoteOption): NutshellError {
  const what =
    option === "resume"
      ? "to go on in a reply that was cut. Append a message first"
      : `${option}. Leave it out`;
  return new NutshellError(
    "UNSUPPORTED",
    `generate: an option must be one that ${provider} knows, got ${what}.`,
  );
}
