/**
 * The default policy, whole: for what is judged, the first rule whose fact holds gives the verdict.
 * Facts of the value alone come first and deny; then what a rising label can only lose allows; then
 * the rest asks or denies. So a higher label is never judged more kindly. docs/policy.md shows this
 * table; a test holds the two together.
 */
import type { PolicyRequest, SinkKind, Verdict } from "./policy-request.ts";

/** What can be known of an argument or of a decision; `facts.ts` tells how. */
export type Fact =
  | "trusted" // user and configuration alone shaped it, or a person vouched for this very value
  | "typed" // it stands in what the user typed in this turn
  | "looked up" // beside those two, only the owner's stores, sources the user named, and models
  | "readable" // everybody whom the call reaches may see it
  | "named" // the owner's, and the user named its sources and whom the call reaches in this turn
  | "the owner's" // the owner may see it
  | "no URL"
  | "no granted host"
  | "no path"
  | "elsewhere" // neither in the process's own tree, nor where a capability names the place
  | "protected" // a dotfile, or a file that is obeyed
  | "within budget" // of bits that untrusted answers and choices could steer
  | "always";

/** Arguments by what they are to the outside; what a URL gives away; the decision to call at all. */
export type Judged = SinkKind | "carried by a URL" | "decision" | "irreversible" | "influence";

/** The text reads on after "recipient: ". */
export type Rule = readonly [name: string, when: Fact, verdict: Verdict["kind"], text: string];

export interface Section {
  readonly judges: Judged;
  readonly access: readonly PolicyRequest["access"][];
  readonly rules: readonly Rule[];
}

function section(judges: Judged, access: string, ...rules: readonly Rule[]): Section {
  return { judges, access: access.split(" or ") as PolicyRequest["access"][], rules };
}

const changes = "write or egress";
const trusted: Rule = ["trusted", "trusted", "allow", "comes from the user or the configuration"];
const typed: Rule = ["typed", "typed", "allow", "stands in what the user typed in this turn"];
const whom: readonly Rule[] = [
  ...[trusted, typed],
  ["looked-up", "looked up", "endorse", "was looked up, not said: a person must vouch for it"],
  ["foreign", "always", "deny", "must come from the user or the configuration"],
];
const seen: Rule = ["foreign", "always", "ask", "was shaped by others: a person must see it"];

export const table: readonly Section[] = [
  section("recipient", changes, ...whom),
  section("target", changes, ...whom),
  section(
    "path",
    changes,
    ["form", "no path", "deny", "must be a path that reads in one way only, without `..`"],
    ["elsewhere", "elsewhere", "deny", "must lie in the workspace"],
    ["protected", "protected", "deny", "must be no dotfile and no file that is obeyed"],
    ...[trusted, typed, seen],
  ),
  section(
    "url",
    "egress",
    ["form", "no URL", "deny", "must be an http or https URL that reads in one way only"],
    ["host", "no granted host", "deny", "must have a host that a capability covers"],
    ...[trusted, typed, seen],
  ),
  section(
    "carried by a URL",
    "egress",
    typed,
    ["readable", "readable", "allow", "is what everybody whom the call reaches may see"],
    ["private", "always", "deny", "must not hold what its host may not see"],
  ),
  section(
    "content",
    "egress",
    typed,
    ["readable", "readable", "allow", "is what everybody whom the call reaches may see"],
    ["named", "named", "allow", "has sources and receivers that the user named in this turn"],
    ["private", "the owner's", "ask", "is not for all whom the call reaches"],
    ["secret", "always", "deny", "is not even for the owner"],
  ),
  section("content", "write", ["kept", "always", "allow", "is kept with its label"]),
  section("code", "write", trusted, typed, seen),
  section("code", "egress", ["network", "always", "ask", "would leave its jail"]),
  section("neutral", "write", ["free", "always", "allow", "cannot matter to the outside"]),
  section(
    "decision",
    "egress",
    ["readable", "readable", "allow", "tells nothing that the receivers may not know"],
    ["named", "named", "allow", "hangs on sources that the user named with the receivers"],
    ["private", "the owner's", "ask", "hangs on what the receivers may not see"],
    ["secret", "always", "deny", "hangs on what not even the owner may see"],
  ),
  section("decision", "write", ["inside", "always", "allow", "stays inside, with its label"]),
  section("decision", "read", ["read", "always", "allow", "changes nothing"]),
  section("irreversible", changes, trusted, [
    "foreign",
    "always",
    "ask",
    "was decided under the influence of others",
  ]),
  section(
    "influence",
    changes,
    ["within", "within budget", "allow", "is within the budget of bits"],
    ["above", "always", "ask", "is above the budget of bits that others may steer"],
  ),
];
