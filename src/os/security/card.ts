/**
 * What a person is shown before saying yes: the exact call, where each argument came from, why it
 * is asked. Made by code from labels, never by a model; every string is inert text. Long content
 * is cut in the middle and has its digest beside it; what names somebody or some place is whole.
 */
import { inertContent, inertName } from "../../inert-text.ts";
import { canonicalJson, digest } from "./canonical.ts";
import { type Argument, argumentsOf } from "./facts.ts";
import { influenceBits, join, type Label } from "./label.ts";
import { type Json, wholeLabel } from "./labelled.ts";
import { namesOfSources } from "./origin.ts";
import { toUrl } from "./place.ts";
import type { PolicyRequest, Verdict } from "./policy-request.ts";
import { readTurn, standsIn } from "./turn.ts";

/** Characters of content at its start and at its end. */
const shownHead = 1500;
const shownTail = 500;

/** @throws NutshellError DENIED, TypeError: what `decide` denies as malformed has no card */
export function approvalCard(request: PolicyRequest, verdict: Verdict): Json {
  const bits = influenceBits(join(wholeLabel(request.args.labels), request.pc));
  return {
    call: inertName(request.call),
    irreversible: request.irreversible,
    arguments: argumentsOf(request).map((argument) => toShown(argument, request.userTurn)),
    decidedBy: toOrigin(request.pc),
    influenceBits: Number.isFinite(bits) ? Math.round(bits * 10) / 10 : "unbounded",
    why: verdict.reasons
      .filter(({ kind }) => kind !== "allow")
      .map(({ rule, text, sources = [] }) => ({ rule, text, sources })),
  };
}

function toShown([name, sink, value, labels]: Argument, userTurn?: string): Json {
  const text = typeof value === "string" ? value : canonicalJson(value);
  const url = sink === "url" ? toUrl(text) : undefined;
  const named = sink !== "content" && sink !== "code" && sink !== "neutral";
  return {
    argument: inertName(name),
    is: sink,
    ...(named ? { value: inertName(text) } : toExcerpt(text)),
    ...(url === undefined ? {} : { host: url.host }),
    ...toOrigin(wholeLabel(labels)),
    typed: standsIn(value, readTurn(userTurn), sink),
  };
}

function toExcerpt(text: string): { readonly [key: string]: Json } {
  const left = text.length - shownHead - shownTail;
  if (left <= 0) return { value: inertContent(text) };
  const end = inertContent(text.slice(-shownTail));
  return { value: inertContent(text.slice(0, shownHead)), left, end, sha256: digest(text) };
}

function toOrigin(label: Label): { readonly [key: string]: Json } {
  const { readers } = label;
  return {
    from: namesOfSources(label),
    readers: readers === "public" ? readers : [...readers].sort().slice(0, 20).map(inertName),
  };
}
