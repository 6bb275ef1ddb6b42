/** Elements from data. Text is set as text and never parsed: nothing a model says becomes markup. */

type Children = readonly (Node | string)[];

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  children: Children = [],
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function button(label: string, className: string, run: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", className, textContent: label });
  made.addEventListener("click", run);
  return made;
}

/** @throws when the page lacks it */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`page: #${id} must be a ${type.name}`);
}
