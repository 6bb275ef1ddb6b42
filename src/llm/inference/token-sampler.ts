/**
 * All of `Sampling` on one timeline. The order is the usual one: repetition penalty on what stands
 * on the timeline, presence and frequency penalties on what was generated, logit bias, the mask of
 * what is allowed, then `sampler.ts`: temperature, top-k, top-p, min-p.
 *
 * The random number of a position depends on seed and position alone: who else is served, and
 * where a text was cut and resumed, changes nothing.
 */
import { NutshellError } from "../../error.ts";
import type { Sampling } from "./engine.ts";
import { checkSampler, randomAt, type SamplerOptions, sampleToken } from "./sampler.ts";
import type { TokenSampler } from "./token-engine.ts";

/** What may follow; it is told what did. */
export interface TokenMask {
  /** One bit an id, u32 [ceil(V / 32)], id i is bit i % 32 of word i >> 5; absent: anything. */
  allowed(): Uint32Array | undefined;
  accept(id: number): void;
}

export interface TokenSamplerSetting {
  /** The timeline where sampling begins. */
  readonly ids?: readonly number[];
  /** From this index on, they were generated; default: none of them. */
  readonly generatedFrom?: number;
  readonly mask?: TokenMask | undefined;
  /** Ids below this are drawn; absent = all. A model's table may be longer than its tokenizer's. */
  readonly vocabSize?: number | undefined;
}

type Change = (logits: Float32Array) => void;

/**
 * @param sampling without a seed, one is drawn here
 * @throws CONFIG naming the option that breaks its rule; sampling throws DIVERGED when there is no
 *   logit to choose by
 */
export function createTokenSampler(
  sampling: Sampling,
  setting: TokenSamplerSetting = {},
): TokenSampler {
  const { mask, vocabSize } = setting;
  const options: SamplerOptions = { ...sampling, temperature: sampling.temperature ?? 1 };
  checkSampler(options);
  checkPenalties(sampling);
  const seed = sampling.seed ?? drawSeed();
  const past = createPast(setting);
  const changes = logitChanges(sampling, past);
  const { temperature, topK, topP = 1, minP = 0 } = options;
  const narrows = topK !== undefined || topP < 1 || minP > 0 || vocabSize !== undefined;
  const isWhole = !narrows && changes.length === 0;
  const isPlain = isWhole && mask === undefined;
  const rules = createRules(mask);
  function take(id: number): boolean {
    const allowed = rules.allowed();
    if (allowed !== undefined && !isAllowed(allowed, id)) return false;
    past.add(id);
    rules.accept(id);
    return true;
  }
  return {
    ...(isPlain ? { plain: { temperature, seed } } : {}),
    ...(isWhole && !isPlain ? { masked: { temperature, seed, take, allowed: rules.allowed } } : {}),
    sample(all, position) {
      const logits = all.subarray(0, vocabSize);
      for (const change of changes) change(logits);
      const allowed = rules.allowed();
      if (allowed !== undefined) forbidOthers(logits, allowed);
      const id = sampleToken(logits, options, randomAt(seed, position));
      past.add(id);
      rules.accept(id);
      return id;
    },
  };
}

/** A mask that is asked once a token, however often it is looked at. */
function createRules(mask: TokenMask | undefined): TokenMask {
  let known: { readonly allowed: Uint32Array | undefined } | undefined;
  return {
    allowed() {
      known ??= { allowed: mask?.allowed() };
      return known.allowed;
    },
    accept(id) {
      known = undefined;
      mask?.accept(id);
    },
  };
}

/** Which tokens there are, and how many of each were generated. */
interface Past {
  readonly seen: ReadonlySet<number>;
  readonly generated: ReadonlyMap<number, number>;
  add(id: number): void;
}

function createPast({ ids = [], generatedFrom = ids.length }: TokenSamplerSetting): Past {
  const seen = new Set(ids);
  const generated = new Map<number, number>();
  const add = (id: number): void => {
    seen.add(id);
    generated.set(id, (generated.get(id) ?? 0) + 1);
  };
  for (const id of ids.slice(generatedFrom)) add(id);
  return { seen, generated, add };
}

/** Only what changes something. */
function logitChanges(sampling: Sampling, { seen, generated }: Past): Change[] {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = sampling;
  const { logitBias } = sampling;
  const changes: Change[] = [];
  if (repetitionPenalty !== 1)
    changes.push((logits) => {
      for (const id of seen) scaleLogit(logits, id, repetitionPenalty);
    });
  if (presencePenalty !== 0 || frequencyPenalty !== 0)
    changes.push((logits) => {
      for (const [id, count] of generated)
        addToLogit(logits, id, -presencePenalty - frequencyPenalty * count);
    });
  if (logitBias !== undefined && logitBias.size > 0)
    changes.push((logits) => {
      for (const [id, bias] of logitBias) addToLogit(logits, id, bias);
    });
  return changes;
}

function scaleLogit(logits: Float32Array, id: number, penalty: number): void {
  const logit = logits[id];
  if (logit !== undefined) logits[id] = logit > 0 ? logit / penalty : logit * penalty;
}

function addToLogit(logits: Float32Array, id: number, amount: number): void {
  const logit = logits[id];
  if (logit !== undefined) logits[id] = logit + amount;
}

function isAllowed(allowed: Uint32Array, id: number): boolean {
  return (((allowed[id >> 5] ?? 0) >>> (id & 31)) & 1) === 1;
}

function forbidOthers(logits: Float32Array, allowed: Uint32Array): void {
  for (let word = 0; word * 32 < logits.length; word++) {
    const bits = allowed[word] ?? 0;
    if (bits === 0xffffffff) continue;
    const end = Math.min(word * 32 + 32, logits.length);
    for (let id = word * 32; id < end; id++)
      if ((bits & (1 << (id & 31))) === 0) logits[id] = -Infinity;
  }
}

function checkPenalties(sampling: Sampling): void {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0, logitBias } = sampling;
  const fail = (what: string, got: number): never => {
    throw new NutshellError("CONFIG", `sampler: ${what}, got ${got}.`);
  };
  if (!(repetitionPenalty > 0 && repetitionPenalty < Infinity))
    fail("repetitionPenalty must be above 0", repetitionPenalty);
  if (!Number.isFinite(presencePenalty))
    fail("presencePenalty must be a finite number", presencePenalty);
  if (!Number.isFinite(frequencyPenalty))
    fail("frequencyPenalty must be a finite number", frequencyPenalty);
  for (const [id, bias] of logitBias ?? [])
    if (!(bias < Infinity)) fail(`logitBias of token ${id} must be below Infinity`, bias);
}

function drawSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number;
}
