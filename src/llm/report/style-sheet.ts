/**
 * How `report.html` looks: light or dark as the reader's system is, on paper as wide as the window.
 * Charts are drawn for white paper; in the dark their few colours are replaced by name.
 */
import { FAINT, GRID, INK, PAPER, SERIES } from "../run/chart.ts";

const dark: Readonly<Record<string, string>> = {
  [PAPER]: "#0d1117",
  [INK]: "#e6edf3",
  [GRID]: "#262c36",
  [FAINT]: "#1d3f66",
};
/** In the order of `SERIES`. */
const darkSeries = ["#4493f8", "#f85149", "#3fb950", "#d29922", "#ab7df8"] as const;

function inTheDark(): string {
  const series = SERIES.map((color, i) => [color, darkSeries[i]] as const);
  const rules = [...Object.entries(dark), ...series].flatMap(([light, color]) =>
    ["fill", "stroke"].map((part) => `  svg [${part}="${light}"] { ${part}: ${color}; }`),
  );
  return rules.join("\n");
}

export const styleSheet: string = `\
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d8dee4; --box: #f6f8fa;
  --link: #0969da; --right: #1a7f37; --wrong: #b02a37; --partly: #9a6700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #30363d; --box: #151b23;
    --link: #4493f8; --right: #3fb950; --wrong: #f47067; --partly: #d29922;
  }
${inTheDark()}
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem;
  background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1 { font-size: 1.7rem; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem; }
h2, nav { border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; overflow-wrap: anywhere; }
p, li { max-width: 46rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; }
ul { margin: .25rem 0; padding-left: 1.2rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: .75rem 0; }
nav { border-top: 1px solid var(--line); margin-top: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .35rem .7rem; text-align: left; vertical-align: top; }
th:first-child { min-width: 13rem; }
th { border-bottom: 2px solid var(--line); white-space: nowrap; }
td { border-bottom: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.number small { white-space: nowrap; }
small, .label { color: var(--soft); font-size: .8rem; }
pre {
  margin: .25rem 0 .5rem; padding: .5rem .7rem; background: var(--box); border-radius: 6px;
  font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
pre.empty { color: var(--soft); font-style: italic; }
.case { margin: 1.25rem 0; padding: .1rem 0 .1rem .9rem; border-left: 3px solid var(--line); }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .75rem; }
.verdict { font-weight: 600; }
.right { color: var(--right); }
.wrong { color: var(--wrong); }
.partly { color: var(--partly); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
@media (max-width: 44rem) {
  th, td { padding: .3rem .4rem; }
  th:first-child { min-width: 6rem; }
  .number small { display: block; }
}
figure { margin: 1rem 0; }
figure svg { display: block; width: 100%; max-width: 800px; height: auto; }
`;
