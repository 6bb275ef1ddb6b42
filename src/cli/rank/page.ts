/** The labelling page: one HTML document that loads nothing from anywhere. */
import { pageScript } from "./page-script.ts";
import { pageStyle } from "./page-style.ts";

/** @param nonce lets this page's own style and script run, and no others */
export function renderPage(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rank answers</title>
<style nonce="${nonce}">${pageStyle}</style>
</head>
<body>
<main>
<header><b>Rank answers</b><span class="bar"><i id="filled"></i></span><span id="count"></span></header>
<p id="notice" role="alert"></p>
<section id="work" hidden>
<div class="prompt" id="prompt"></div>
<h2>Best answer first: press its number, click it, or drag. Press = when it is as good as the one above.</h2>
<ol id="answers"></ol>
</section>
<section id="end" class="end" hidden><h1>All done</h1>
<p id="last">Every ranking is saved.</p>
<button class="act main" id="finish">Finish</button></section>
</main>
<footer><div>
<button class="act" id="undo" disabled><u>U</u>ndo</button>
<button class="act" id="skip" disabled><u>S</u>kip</button>
<button class="act" id="cannot" disabled><u>C</u>an't say</button>
<button class="act main" id="save" disabled>Save (Enter)</button>
</div></footer>
<script nonce="${nonce}">${pageScript}</script>
</body>
</html>
`;
}

/** Everything is forbidden but this page's own style, script and requests. */
export function contentPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
