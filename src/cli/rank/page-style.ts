/** How the labelling page looks: one column, large type, light and dark. */

export const pageStyle = `
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --paper: #ffffff;
  --back: #f4f5f7; --line: #d1d9e0; --blue: #0969da; --blue-back: #ddf0ff; }
@media (prefers-color-scheme: dark) { :root { --ink: #f0f3f6; --soft: #9ea7b3; --paper: #1c2128;
  --back: #11151a; --line: #3d444d; --blue: #6cb6ff; --blue-back: #15304d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1.25rem 1rem 7rem; }
header { display: flex; align-items: center; gap: 1rem; color: var(--soft); font-size: .875rem; }
header b { color: var(--ink); }
.bar { flex: 1; height: .5rem; border-radius: 1rem; background: var(--line); overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--blue); transition: width .2s; }
.prompt { margin: 1.25rem 0 .5rem; }
.turn { background: var(--paper); border: 1px solid var(--line); border-radius: .75rem;
  padding: .75rem 1rem; margin-bottom: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.turn small { display: block; color: var(--soft); font-size: .75rem; }
.turn.user { border-left: .25rem solid var(--blue); }
h2 { font-size: .875rem; font-weight: 600; color: var(--soft); margin: 1.25rem 0 .5rem; }
ol { list-style: none; margin: 0; padding: 0; }
.card { display: flex; gap: .75rem; align-items: flex-start; background: var(--paper);
  border: 2px solid var(--line); border-radius: .75rem; padding: .75rem; cursor: grab; }
.card:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
.card.picked { border-color: var(--blue); }
.card.dragged { opacity: .4; }
.card kbd { flex: none; min-width: 2rem; height: 2rem; border-radius: .5rem; font: inherit;
  font-weight: 600; display: grid; place-items: center; background: var(--back);
  border: 1px solid var(--line); }
.card p { margin: .2rem 0; flex: 1; white-space: pre-wrap; overflow-wrap: anywhere; }
.card .rank { flex: none; align-self: center; font-weight: 700; color: var(--blue);
  min-width: 3.5rem; text-align: right; }
.tie { display: block; width: 100%; border: 0; background: none; color: var(--soft); height: 1.75rem;
  font: inherit; font-size: .75rem; cursor: pointer; padding: 0; }
.tie:hover, .tie.on { color: var(--blue); }
.tie.on { font-weight: 700; }
footer { position: fixed; inset: auto 0 0 0; background: var(--paper);
  border-top: 1px solid var(--line); }
footer div { max-width: 46rem; margin: 0 auto; padding: .75rem 1rem; display: flex; gap: .5rem;
  flex-wrap: wrap; }
button.act { font: inherit; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem;
  background: var(--back); color: var(--ink); cursor: pointer; }
button.act.main { background: var(--blue); color: var(--paper); border-color: var(--blue);
  font-weight: 600; }
footer .main { margin-left: auto; }
button.act:disabled { opacity: .45; cursor: default; }
button.act u { text-underline-offset: .2em; }
#notice { color: #cf222e; min-height: 1.5rem; margin: .5rem 0 0; }
.end { text-align: center; padding: 4rem 0; }
@media (max-width: 34rem) { button.act { padding: .5rem .6rem; } }
`;
