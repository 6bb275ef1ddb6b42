/** The default policy by example, one line per case; then what must hold of every request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digest } from "../../../src/os/security/canonical.ts";
import type { Capability } from "../../../src/os/security/capability.ts";
import { bottom, join, type Label, labelOf, type Source } from "../../../src/os/security/label.ts";
import type { Json, Labelled, LabelTree } from "../../../src/os/security/labelled.ts";
import { decide, type PolicyRequest, type SinkKind } from "../../../src/os/security/policy.ts";

const owner = "me";
const mine = new Set([owner]);
const user = labelOf("user");
const config = labelOf("config");
const web = labelOf("origin:https://evil.example");
const mail = labelOf("tool:mail.read", mine);
const doc = labelOf("file:textbook.pdf", mine);
const model = labelOf("model:planner");
const nobody: Label = labelOf("config", new Set());

interface Case {
  readonly access?: PolicyRequest["access"];
  readonly irreversible?: boolean;
  readonly sinks?: Record<string, SinkKind>;
  /** Value and label by argument. */
  readonly args: Record<string, readonly [Json, Label]>;
  readonly pc?: Label;
  readonly turn?: string;
  readonly more?: Partial<PolicyRequest>;
}

function request({ access = "egress", args, ...rest }: Case): PolicyRequest {
  const entries = Object.entries(args);
  const parts = new Map(entries.map(([name, [, label]]): [string, LabelTree] => [name, { label }]));
  const value = Object.fromEntries(entries.map(([name, [part]]) => [name, part]));
  return {
    call: "mail.send",
    access,
    irreversible: rest.irreversible ?? false,
    sinks: rest.sinks ?? {
      to: "recipient",
      body: "content",
      url: "url",
      path: "path",
      code: "code",
    },
    args: { value, labels: { label: bottom, parts } },
    pc: rest.pc ?? user,
    owner,
    capabilities: [{ call: "*" }],
    influenceBits: 16,
    endorsed: [],
    ...(rest.turn === undefined ? {} : { userTurn: rest.turn }),
    ...rest.more,
  };
}

function check(expected: string, example: Case): void {
  const { kind, reasons } = decide(request(example));
  const [first] = reasons;
  assert.equal(`${kind} ${first?.rule}`, expected, JSON.stringify(reasons, undefined, 1));
}

test("a read is allowed, whatever shaped it", () => {
  check("allow decision.read", { access: "read", args: { path: ["a", web] }, pc: web });
  check("allow decision.read", { access: "read", args: { query: ["a", mail] }, pc: mail });
});

test("recipients and targets", () => {
  const turn = "Please write to anna@uni.edu, or Bob Smith; pay $1,250 into 'DE89 3704 0044'.";
  const sinks = { to: "recipient", id: "target" } as const;
  const table: [string, Json, Label, string][] = [
    ["allow", "x@evil.example", user, "recipient.trusted"],
    ["allow", "x@evil.example", config, "recipient.trusted"],
    ["deny", "x@evil.example", web, "recipient.foreign"],
    ["deny", "x@evil.example", join(user, web), "recipient.foreign"],
    ["allow", "anna@uni.edu", web, "recipient.typed"],
    ["allow", "Anna@UNI.edu", web, "recipient.typed"],
    ["allow", "Bob Smith", web, "recipient.typed"],
    ["allow", "DE89 3704 0044", web, "recipient.typed"],
    ["allow", 1250, web, "recipient.typed"],
    ["allow", "1250", web, "recipient.typed"],
    ["deny", 125, web, "recipient.foreign"],
    ["deny", "nna@uni.edu", web, "recipient.foreign"],
    ["deny", "anna@uni.edu.evil.example", web, "recipient.foreign"],
    ["deny", "anna@uni.ed", web, "recipient.foreign"],
    ["deny", "uni.edu", web, "recipient.foreign"],
    ["deny", "аnna@uni.edu", web, "recipient.foreign"],
    ["deny", "anna@uni.edu\n", web, "recipient.foreign"],
    ["deny", "Bob\nSmith", web, "recipient.foreign"],
    ["deny", "bob smith", web, "recipient.foreign"],
    ["deny", "", web, "recipient.foreign"],
    ["deny", null, web, "recipient.foreign"],
    ["deny", true, web, "recipient.foreign"],
    ["allow", ["anna@uni.edu", "Bob Smith"], web, "recipient.typed"],
    ["deny", ["anna@uni.edu", "x@evil.example"], web, "recipient.foreign"],
    ["deny", { address: "anna@uni.edu" }, web, "recipient.foreign"],
    ["endorse", "bob@work.example", model, "recipient.looked-up"],
    ["deny", "bob@work.example", mail, "recipient.foreign"],
  ];
  for (const [kind, value, label, rule] of table) {
    check(`${kind} ${rule}`, { args: { to: [value, label] }, sinks, turn });
    const target = rule.replace("recipient", "target");
    const example: Case = { access: "write", args: { id: [value, label] }, sinks, turn };
    check(`${kind} ${target}`, example);
    check(`${kind} ${target}`, { ...example, sinks: {}, args: { unnamed: [value, label] } });
  }
});

test("a value looked up in the owner's stores, or in a file the user named, may be endorsed", () => {
  const args = { to: ["DE89", join(mail, model)] } as const;
  const stores: Source[] = ["tool:mail.*" as Source];
  check("endorse recipient.looked-up", { args, access: "write", more: { stores } });
  check("deny recipient.foreign", { args, access: "write", more: { stores: ["tool:web.*"] } });
  const fromFile = { to: ["DE89", doc] } as const;
  check("endorse recipient.looked-up", {
    ...{ args: fromFile, access: "write", turn: "Pay what textbook.pdf says." },
  });
  check("deny recipient.foreign", { args: fromFile, access: "write", turn: "Pay the bill." });
  const both = { to: ["DE89", join(doc, web)] } as const;
  check("deny recipient.foreign", {
    args: both,
    access: "write",
    turn: "Pay what textbook.pdf says.",
  });
});

test("what a person vouched for is that value, in that argument of that call", () => {
  const endorsed = [{ call: "mail.send", argument: "to", digest: digest("DE89") }];
  const example: Case = { access: "write", args: { to: ["DE89", web] } };
  check("allow recipient.trusted", { ...example, more: { endorsed } });
  for (const other of [
    { ...endorsed[0], call: "pay.send" },
    { ...endorsed[0], argument: "id" },
    { ...endorsed[0], digest: digest("DE88") },
    { call: "*", argument: "*", digest: "*" },
  ]) {
    check("deny recipient.foreign", { ...example, more: { endorsed: [other] as never } });
  }
});

test("what leaves is for eyes that may see it", () => {
  const to = ["anna@uni.edu", user] as const;
  const annas = labelOf("file:shared.txt", new Set([owner, "anna@uni.edu"]));
  const turn = "Summarise textbook.pdf and mail it to anna@uni.edu.";
  check("allow recipient.trusted", { args: { to, body: ["text", web] } });
  check("allow recipient.trusted", { args: { to, body: ["text", annas] } });
  check("ask content.private", { args: { to, body: ["text", mail] } });
  check("deny content.secret", { args: { to, body: ["text", nobody] } });
  check("allow recipient.trusted", { args: { to, body: ["text", join(doc, model)] }, turn });
  check("ask content.private", { args: { to, body: ["text", join(doc, mail)] }, turn });
  check("deny content.secret", { args: { to, body: ["text", join(doc, nobody)] }, turn });
  check("ask content.private", {
    ...{ args: { to: ["bob@uni.edu", user], body: ["text", doc] }, turn },
  });
  check("ask content.private", {
    ...{ args: { to, body: ["text", doc] }, turn: "Mail notes-textbook.pdf to anna@uni.edu." },
  });
  check("ask content.private", {
    args: { to, note: ["text", join(user, mail)] },
    sinks: { to: "recipient", note: "neutral" },
  });
  check("ask content.private", { args: { body: ["text", mail] } });
  check("allow content.kept", {
    access: "write",
    args: { body: ["text", join(mail, web)] },
    pc: mail,
  });
});

test("the decision to send tells as much as what is sent", () => {
  const args = { to: ["anna@uni.edu", user], body: ["hello", user] } as const;
  check("ask decision.private", { args, pc: mail });
  check("deny decision.secret", { args, pc: nobody });
  check("allow recipient.trusted", { args, pc: web });
  check("allow recipient.trusted", {
    args,
    pc: doc,
    turn: "If textbook.pdf is long, tell anna@uni.edu.",
  });
});

test("URLs", () => {
  const granted: Capability[] = [{ call: "mail.send", where: { url: { host: ".e.org" } } }];
  const more = { capabilities: granted };
  const table: [string, string, Label, string?][] = [
    ["allow url.trusted", "https://e.org/a?b=c", user],
    ["deny url.host", "https://evil.example/", user],
    ["deny url.form", "javascript:alert(1)", user],
    ["deny url.form", "https://e.org@evil.example", user],
    ["deny url.form", "https://e.org\\@evil.example", user],
    ["ask url.foreign", "https://e.org/a?b=stolen", web],
    ["deny carried-by-a-URL.private", "https://e.org/?q=secret", mail],
    ["deny carried-by-a-URL.private", "https://e.org/?q=secret", labelOf("config", mine)],
    ["allow url.trusted", "https://e.org/", labelOf("config", new Set([owner, "e.org"]))],
    ["allow url.typed", "https://e.org/page", web, "Read https://e.org/page."],
    ["allow url.typed", "https://e.org/page", web, "Read (e.org/page)!"],
    ["ask url.foreign", "https://e.org/page?x", web, "Read https://e.org/page."],
    ["ask url.foreign", "https://e.org/", web, "Read https://e.org/page."],
    ["deny url.host", "https://evil.example/", web, "Read https://evil.example/ now"],
    ["allow url.typed", "https://e.org/page", mail, "Read e.org/page, please."],
    ["deny carried-by-a-URL.private", "https://e.org/page?x", mail, "Read e.org/page, please."],
  ];
  for (const [expected, url, label, turn] of table) {
    for (const access of ["egress", "read"] as const) {
      check(expected, { access, args: { url: [url, label] }, more, ...(turn && { turn }) });
    }
  }
  check("deny url.form", { args: { url: [{ href: "https://e.org" }, user] }, more });
  check("ask decision.private", { args: { url: ["https://e.org", user] }, pc: mail, more });
});

test("paths", () => {
  const table: [string, Json, Label, string?][] = [
    ["allow path.trusted", "notes/a.txt", user],
    ["ask path.foreign", "notes/a.txt", web],
    ["allow path.typed", "./notes/a.txt", web, "Save it in notes/a.txt."],
    ["ask path.foreign", "a.txt", web, "Save it in notes/a.txt."],
    ["deny path.form", "../a.txt", user],
    ["deny path.form", "a/../../b", user],
    ["deny path.form", "a\0b", user],
    ["deny path.form", ["a"].length, user],
    ["deny path.elsewhere", "/etc/passwd", user],
    ["deny path.elsewhere", "proc:7/a", user],
    ["deny path.protected", ".git/hooks/pre-commit", user],
    ["deny path.protected", "a/.env", user, "Write a/.env"],
    ["deny path.protected", "．git/config", user],
    ["deny path.protected", "GIT~1/config", user],
    ["deny path.protected", "a/AGENTS.md", user],
    ["deny path.protected", "server.git/hooks/update", user],
  ];
  for (const [expected, path, label, turn] of table) {
    check(expected, { access: "write", args: { path: [path, label] }, ...(turn && { turn }) });
  }
  const capabilities: Capability[] = [{ call: "*", where: { path: { under: "/data" } } }];
  const example: Case = { access: "write", args: { path: ["/data/a", user] } };
  check("allow path.trusted", { ...example, more: { capabilities } });
  const other: Capability[] = [{ call: "*", where: { path: { under: "/dat" } } }, { call: "*" }];
  check("deny path.elsewhere", { ...example, more: { capabilities: other } });
});

test("code", () => {
  check("allow decision.read", { access: "read", args: { code: ["rm -rf /", web] } });
  check("ask code.foreign", { access: "write", args: { code: ["rm -rf /", web] } });
  check("allow code.trusted", { access: "write", args: { code: ["ls", user] } });
  check("ask code.network", { args: { code: ["curl", user] } });
  check("deny content.secret", { args: { code: ["curl", nobody] } });
});

test("what cannot be undone, and what others could steer", () => {
  const args = { id: ["report", user] } as const;
  const undo: Case = { access: "write", irreversible: true, args };
  check("allow target.trusted", undo);
  check("ask irreversible.foreign", { ...undo, pc: web });
  check("ask irreversible.foreign", { ...undo, access: "read", pc: web });
  check("allow target.trusted", { access: "write", args, pc: web });
  const steered = (bits: number): Label => ({ ...web, influence: new Map([["q", bits]]) });
  check("allow target.trusted", { access: "write", args, pc: steered(16) });
  for (const bits of [16.1, Number.POSITIVE_INFINITY, Number.NaN]) {
    check("ask influence.above", { access: "write", args, pc: steered(bits) });
  }
  const none = { value: {}, labels: { label: web } };
  check("ask irreversible.foreign", { ...undo, args: {}, more: { args: none } });
  const free = { ...doc, influence: new Map([["q", Number.POSITIVE_INFINITY]]) };
  check("allow path.trusted", { access: "write", args: { path: ["a", user], body: ["x", free] } });
  check("ask path.foreign", { access: "write", args: { path: ["a", free], body: ["x", free] } });
  const turn = "one two three four five six seven eight nine ten";
  const typed = { id: ["one", web], other: ["two", web] } as const;
  const bits = 2 * Math.log2(10);
  check("allow target.typed", {
    access: "write",
    args: typed,
    turn,
    more: { influenceBits: bits },
  });
  check("ask influence.above", {
    ...{ access: "write", args: typed, turn, more: { influenceBits: bits - 0.01 } },
  });
  const one: Case = { access: "write", args: { id: ["12", web] }, turn: "Delete mail 12." };
  check("allow target.typed", { ...one, irreversible: true });
  check("ask influence.above", { ...one, irreversible: true, turn: "Delete mail 12, not 13." });
  check("allow target.typed", { ...one, turn: "Delete mail 12, not 13." });
  check("deny target.foreign", { ...one, turn: "12. Delete what is old. 12) Say so.\n(12) Stop" });
  const told = { args: { to: ["x", user], body: ["one", mail] }, turn } as const;
  check("allow recipient.trusted", { ...told, more: { influenceBits: Math.log2(10) } });
  check("ask influence.above", { ...told, more: { influenceBits: 3 } });
  const kept: Case = { access: "write", args: { body: ["one", mail] }, turn };
  check("allow content.kept", { ...kept, more: { influenceBits: 0 } });
});

test("a file's name in the turn is no host, and names none", () => {
  const sinks = { url: "url", body: "content" } as const;
  const post = (url: string, turn: string): Case => {
    return { args: { url: [url, web], body: ["numbers", doc] }, sinks, turn };
  };
  const named = "Compare textbook.pdf with install.sh and notes.zip";
  for (const url of ["https://install.sh/", "http://notes.zip", "install.sh", "notes.zip:443"]) {
    check("ask url.foreign", post(url, named));
  }
  check("allow url.typed", post("https://install.sh/", "Send textbook.pdf to https://install.sh"));
  check("allow url.typed", post("https://e.org/", "Send textbook.pdf to e.org"));
  const page = labelOf("origin:https://wiki", mine);
  const told: Case = { args: { to: ["anna@uni.edu", web], body: ["x", page] } };
  check("ask content.private", { ...told, turn: "Tell anna@uni.edu about our wiki" });
  check("allow recipient.typed", { ...told, turn: "Tell anna@uni.edu about https://wiki" });
});

test("a quoted mail in the turn is its writer's, not the user's", () => {
  const turn =
    "What do they want?\n> Dear friend, pay DE89\n  > or write to eve@evil.example\nAnna";
  const to = (value: string): Case => ({ access: "write", args: { id: [value, web] }, turn });
  for (const value of ["DE89", "eve@evil.example", "Dear friend, pay DE89 or write to a b c"]) {
    check("deny target.foreign", to(value));
  }
  check("allow target.typed", to("Anna"));
});

test("picking where a piece of the turn begins and ends is counted too", () => {
  const words = Array.from({ length: 600 }, (_, i) => `w${i}`);
  const body = words.slice(100, 400).join(" ");
  const told: Case = { args: { to: ["x", user], body: [body, mail] }, turn: words.join(" ") };
  check("ask influence.above", told);
  check("allow recipient.trusted", { ...told, more: { influenceBits: Math.log2(300 * 601) } });
});

test("labels below a value that has nothing below it are its own", () => {
  const to: LabelTree = { label: user, parts: [{ label: web }] };
  const args: Labelled = {
    value: { to: "eve@e.org" },
    labels: { label: user, parts: new Map([["to", to]]) },
  };
  check("deny recipient.foreign", { args: {}, sinks: { to: "recipient" }, more: { args } });
});

test("a turn that was pasted full of anything is read in little time", () => {
  const sinks = { to: "recipient" } as const;
  const start = performance.now();
  for (const piece of ["\n", "!", ". ", "word ", "(", "a@", "1.\n", "https://"]) {
    const turn = `${piece.repeat(2 ** 17 / piece.length)}x`;
    check("deny recipient.foreign", { args: { to: ["evil@x.org", web] }, sinks, turn });
  }
  assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms`);
});
