/**
 * A reply as its tokens, each tinted by how likely it was; pointing at one shows what else could
 * have stood there. Bytes of one character that several tokens share are shown at its last token.
 */
import { element } from "./element.ts";
import type { WireCandidate, WireToken } from "./wire.ts";

export function renderTokens(tokens: readonly WireToken[]): HTMLElement {
  const decoder = new TextDecoder();
  const spans = tokens.map((token) => {
    const bytes = Uint8Array.from(token.bytes ?? []);
    return renderToken(token, decoder.decode(bytes, { stream: true }));
  });
  return element("p", { className: "tokens" }, spans);
}

function renderToken(token: WireToken, text: string): HTMLElement {
  const span = element("span", { className: "token", tabIndex: 0 }, [
    text === "" ? "·" : text,
    renderCandidates(token),
  ]);
  span.style.setProperty("--p", Math.exp(token.logprob).toFixed(3));
  return span;
}

function renderCandidates(token: WireToken): HTMLElement {
  const rows = token.top_logprobs.map((candidate) => renderRow(candidate, token));
  const isListed = token.top_logprobs.some((candidate) => isSame(candidate, token));
  const all = isListed ? rows : [...rows, renderRow(token, token)];
  return element("span", { className: "candidates", role: "tooltip" }, all);
}

function renderRow(candidate: WireCandidate, chosen: WireCandidate): HTMLElement {
  const p = Math.exp(candidate.logprob);
  const bar = element("span", { className: "bar" });
  bar.style.setProperty("--p", p.toFixed(3));
  const share = `${(100 * p).toFixed(p < 0.01 ? 2 : 1)} %`;
  return element("span", { className: isSame(candidate, chosen) ? "row chosen" : "row" }, [
    element("span", { className: "name", textContent: visible(candidate) }),
    bar,
    element("span", { className: "share", textContent: share }),
  ]);
}

const isSame = (a: WireCandidate, b: WireCandidate): boolean =>
  a.token === b.token && String(a.bytes) === String(b.bytes);

/** Blanks and line ends as signs; a token that is no text by its name. */
function visible({ token }: WireCandidate): string {
  return token.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}
