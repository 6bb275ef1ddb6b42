/** The dials beside the conversation: one row each, from label to the field of the request. */
import { element } from "./element.ts";

interface Dial {
  readonly field: string;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
  /** At this value the field is not sent. */
  readonly off?: number;
}

const dials: readonly Dial[] = [
  { field: "temperature", label: "Temperature", min: 0, max: 2, step: 0.05, value: 0.3 },
  { field: "top_p", label: "Top p", min: 0.05, max: 1, step: 0.05, value: 1, off: 1 },
  { field: "top_k", label: "Top k (0: all)", min: 0, max: 200, step: 1, value: 0, off: 0 },
  { field: "min_p", label: "Min p", min: 0, max: 0.5, step: 0.01, value: 0, off: 0 },
  {
    ...{ field: "repetition_penalty", label: "Repetition penalty", min: 1, max: 2, step: 0.05 },
    ...{ value: 1, off: 1 },
  },
  { field: "max_tokens", label: "New tokens at most", min: 1, max: 1024, step: 1, value: 256 },
];

/** Adds the rows to `panel`. @returns the fields as they stand now */
export function mountDials(panel: HTMLElement): () => Record<string, number> {
  const inputs = dials.map((dial) => ({ dial, input: mount(dial, panel) }));
  return () =>
    Object.fromEntries(
      inputs
        .map(({ dial, input }) => [dial, input.valueAsNumber] as const)
        .filter(([dial, value]) => value !== dial.off)
        .map(([dial, value]) => [dial.field, value]),
    );
}

function mount(
  { field, label, min, max, step, value }: Dial,
  panel: HTMLElement,
): HTMLInputElement {
  const input = element("input", { type: "range", id: `dial-${field}` });
  Object.assign(input, { min, max, step });
  input.value = `${value}`;
  const shown = element("output", { textContent: `${value}` });
  input.addEventListener("input", () => {
    shown.textContent = input.value;
  });
  const title = element("label", { htmlFor: input.id, textContent: label });
  panel.append(element("div", { className: "dial" }, [title, shown, input]));
  return input;
}
