import assert from "node:assert/strict";
import { test } from "node:test";
import { questionOf } from "../src/actions.ts";
import { comment, commentStyle } from "../src/comment.ts";
import { entries } from "../src/entries.ts";
import { Entry, newestAnswer } from "../src/entry.ts";
import { guarded } from "../src/guarded.ts";
import { changedParts, fitsInLines, ghost } from "../src/inline.ts";
import { Jobs } from "../src/jobs.ts";
import { isOlder, locate } from "../src/locate.ts";
import { passedOn } from "../src/log.ts";
import { dollars, statusText, statusTooltip, usageLine } from "../src/money.ts";
import { shifted } from "../src/place.ts";
import type { Status, StreamPart, Totals } from "../src/protocol.ts";
import { answer, lacks, serverSettings } from "../src/settings.ts";

const totals: Totals = {
  requests: 2,
  inputTokens: 100,
  cacheReadTokens: 8000,
  cacheWriteTokens: 900,
  outputTokens: 500,
  cacheHitRate: 0.888,
  costUsd: 0.0123,
  savedUsd: 0.02,
};

test("a job is put together from its stream, and a new attempt voids what came before", () => {
  const jobs = new Jobs();
  const take = (part: Omit<StreamPart, "job">) => jobs.take({ job: "1", ...part });
  take({ kind: "begin", title: "Explain `a`", action: "explain", result: "explain", uri: "file:///a" });
  take({ kind: "text", text: "void" });
  take({ kind: "begin" });
  take({ kind: "thinking", text: "hm" });
  take({ kind: "text", text: "one " });
  const job = take({ kind: "text", text: "two" });
  assert.equal(job.text, "one two");
  assert.equal(job.title, "Explain `a`", "a later attempt need not say it again");
  assert.equal(jobs.get("1"), job);
  assert.equal(take({ kind: "end", outcome: "shown" }).outcome, "shown");
  assert.equal(jobs.get("1"), undefined);
});

test("an entry takes one explanation and the questions about it", () => {
  const jobs = new Jobs();
  const begun = (job: string, action: string) =>
    jobs.take({ job, kind: "begin", title: `${action} \`a\``, action, result: "explain" });
  const entry = new Entry("1");
  entry.begin(begun("1", "explain"));
  assert.ok(entry.say("waiting: 3 s"), "while there is nothing to read");
  assert.equal(entry.note, "Waiting: 3 s");
  entry.append("void");
  assert.ok(!entry.say("more lines"));
  entry.begin(begun("1", "explain"));
  entry.append("one ");
  entry.append("two");
  assert.deepEqual([entry.text, entry.answer, entry.note], ["one two", "one two", ""]);
  entry.end(jobs.take({ job: "1", kind: "end", outcome: "shown" }));
  const document = "# Explain `a`\n\none two\n\n---\n\nmodel · $1\n";
  entry.read(document);
  assert.deepEqual([entry.text, entry.answer, entry.running], [document, "one two", false]);

  entry.begin(begun("2", "follow-up"), "and\nwhy?");
  entry.looks.push("reads a.py:1-3");
  entry.append("void");
  entry.begin(begun("2", "follow-up"), "and\nwhy?");
  entry.append("So.");
  assert.equal(entry.text, `${document}\n> and\n> why?\n\nSo.`, "the question once, below what was there");
  assert.deepEqual([entry.title, entry.answer, entry.whole], ["explain `a`", "So.", true]);
  assert.deepEqual(entry.looks, ["reads a.py:1-3"], "what led to the answer stays");
  const error = { kind: "network", message: "Broken off.", hint: "Ask again." };
  entry.end(jobs.take({ job: "2", kind: "end", outcome: "failed", error, usage: totals }));
  assert.match(entry.note, /^Broken off. Ask again. · .* out/);
  entry.read(document);
  assert.equal(entry.note, "Broken off. Ask again.", "why an answer is missing is not forgotten");

  entry.begin(begun("3", "follow-up"), "change it");
  entry.turnsToEdit();
  assert.match(entry.text, /> change it\n\nThe answer is a change of the code\.$/);
  entry.interrupt();
  assert.ok(entry.failed && !entry.running);
});

test("a question may be known before or behind the beginning of its answer", () => {
  const begun = new Jobs().take({ job: "1", kind: "begin", title: "Ask", action: "ask", result: "answer" });
  const [before, behind] = [new Entry("1"), new Entry("1")];
  before.begin(begun, "why?");
  before.append("So.");
  behind.begin(begun);
  behind.append("So.");
  behind.ask("why?");
  assert.deepEqual([before.text, before.answer], ["> why?\n\nSo.", "So."]);
  assert.deepEqual([behind.text, behind.answer], [before.text, before.answer]);
});

test("the newest answer is found in a document", () => {
  const first = "# Ask about `a`\n\n> why?\n\nBecause\n\n---\n\nof this.\n\n---\n\nmodel · $1\n";
  const table: [string, string][] = [
    ["# Explain `a`\n\nIt adds.\n\n---\n\nmodel · $1\n", "It adds."],
    [first, "Because\n\n---\n\nof this."],
    [`${first}\n> and then?\n> really\n\nThat.\n\n---\n\nmodel · $2\n`, "That."],
    ["# E\n\nIt adds.\n\n## What the model thought\n\n> hm\n>\n> so\n\n---\n\nmodel\n", "It adds."],
  ];
  for (const [document, answer] of table) assert.equal(newestAnswer(document), answer, document);
});

test("the menu is listed by what runs an action", () => {
  const run = (action: string) => ({ title: "", command: "aside.run", arguments: [{ action }] });
  const menu = [
    { title: "Aside: explain", kind: "refactor.aside.explain", command: run("explain") },
    { title: "Aside: check the SQL of (of this workspace)", command: run("check-sql") },
    { title: "Cancel: Explain `a`", command: { title: "", command: "aside.cancel", arguments: [{ job: "1" }] } },
    { ...run("fix"), title: "Aside: fix: no such name" },
  ];
  assert.deepEqual(
    entries(menu).map(({ label, argument }) => [label, argument.action]),
    [
      ["Explain", "explain"],
      ["Check the SQL of (of this workspace)", "check-sql"],
    ],
  );
});

test("words are asked for where an action needs them", () => {
  assert.ok(questionOf({ action: "ask" }));
  assert.ok(questionOf({ action: "fix", diagnostics: [] }), "nobody complains but the user");
  assert.equal(questionOf({ action: "fix", diagnostics: [{}] }), undefined);
  assert.equal(questionOf({ action: "explain" }), undefined);
});

test("money is shown with the digits that matter, and unknown is not free", () => {
  const table: [number | null, string][] = [
    [null, "cost unknown"],
    [0, "$0"],
    [0.00234, "$0.0023"],
    [12.345, "$12.35"],
    [-0.5, "−$0.5000"],
  ];
  for (const [usd, shown] of table) assert.equal(dollars(usd), shown);
  assert.equal(
    usageLine({ ...totals, model: "claude-x", costUsd: null }),
    "claude-x · 9.0k in · 89% from cache · 500 out · cost unknown",
  );
});

test("the status bar has what runs, today's cost and the share from the cache", () => {
  const none = { ...totals, requests: 0, cacheHitRate: null, costUsd: 0 };
  const running = [{ job: "7", title: "Explain `a|b` [x](command:evil)" }];
  const status: Status = { running, session: none, day: totals, simulated: true };
  assert.equal(statusText(undefined), "$(sparkle) Aside");
  assert.equal(statusText({ ...status, running: [], day: none }), "$(sparkle) Aside");
  assert.equal(statusText(status), "$(loading~spin) 1 running · $0.0123 · 89% cached");
  const tooltip = statusTooltip(status, job => `command:stop?${job}`);
  assert.match(tooltip, /\(command:stop\?7\)/);
  assert.match(tooltip, /Simulated/);
  assert.doesNotMatch(tooltip, /[^\\]\]\(command:evil/, "a name in the code makes no link");
});

test("only what was set is passed on, by who may set it", () => {
  const sections = [
    { properties: { "aside.server.path": { scope: "machine" } } },
    { properties: { "aside.model": { scope: "window" }, "aside.fastModel": { scope: "window" } } },
    { properties: { "aside.api.baseUrl": { scope: "machine" }, "aside.cache.ttl": { scope: "window" } } },
  ];
  const values: Record<string, object> = {
    "aside.server.path": { globalValue: "/x" },
    "aside.model": { globalValue: "mine", workspaceValue: "the repository's" },
    "aside.fastModel": { defaultValue: "built in" },
    "aside.api.baseUrl": { globalValue: "https://mine", workspaceValue: "https://evil" },
    "aside.cache.ttl": { globalValue: null },
  };
  const { editor, trusted } = serverSettings(sections, key => values[key]);
  assert.deepEqual(editor, { model: "the repository's" });
  assert.deepEqual(trusted, { api: { baseUrl: "https://mine" } });
  assert.deepEqual(answer(editor), editor);
  assert.notDeepEqual(answer({}), {}, "nothing at all would leave what was said before");
});

test("what was set and is set no longer is noticed", () => {
  const before = { model: "a", cache: { ttl: "1h", layout: "plain" }, codeLens: ["explain"] };
  assert.ok(!lacks(before, before));
  assert.ok(!lacks({ ...before, model: "b", hover: { mode: "off" } }, before), "other values can be told");
  assert.ok(lacks({ ...before, cache: { ttl: "1h" } }, before));
  assert.ok(lacks({ ...before, codeLens: undefined }, before));
  assert.ok(lacks({}, before));
  assert.ok(!lacks({ model: "a" }, {}));
});

test("the server is the setting's, else the bundled, else the first on the path", async () => {
  const on = (files: string[], setting?: string) =>
    locate({
      setting,
      extension: "/ext",
      environment: { PATH: "relative:/a:/b" },
      platform: "linux",
      runs: async file => files.includes(file),
    });
  assert.deepEqual(await on(["/s/aside", "/ext/server/aside"], " /s/aside "), { program: "/s/aside", from: "setting" });
  assert.deepEqual(await on(["/ext/server/aside"], "/s/aside"), { missing: "setting", looked: "/s/aside" });
  assert.deepEqual(await on(["/ext/server/aside", "/a/aside"]), { program: "/ext/server/aside", from: "bundled" });
  assert.deepEqual(await on(["/b/aside", "relative/aside"]), { program: "/b/aside", from: "path" });
  assert.deepEqual(await on(["relative/aside"]), { missing: "everywhere" }, "a repository brings no program along");
});

test("versions", () => {
  const table: [string, string, boolean][] = [
    ["0.1.0", "0.1.0", false],
    ["0.1.9", "0.1.10", true],
    ["1.0.0", "0.9.9", false],
    ["0.9.9", "1.0.0-beta", true],
    ["", "1.0.0", false],
  ];
  for (const [a, b, older] of table) assert.equal(isOlder(a, b), older, `${a} ${b}`);
});

test("Markdown becomes a comment of the language's", () => {
  const long = `- ${"word ".repeat(30)}`.trim();
  const text = comment(`# Title\n\n${long}\n\n\`\`\`py\n${"x".repeat(120)}\n\`\`\``, { line: "//" }, "  ");
  const lines = text.trimEnd().split("\n");
  assert.equal(lines[0], "  // # Title");
  assert.equal(lines[1], "  //");
  assert.ok(lines.slice(0, 5).every(line => line.length <= 100));
  assert.match(lines[3] ?? "", /^ {2}\/\/ {3}word/, "a list's second line stands below its words");
  assert.ok(text.includes("x".repeat(120)), "code is not broken");
  assert.ok(lines.every(line => line.startsWith("  //")));
  assert.equal(comment("a */ b", { block: ["/*", "*/"] }, ""), "/*\na * / b\n*/\n");
  assert.equal(comment("a", undefined, ""), "# a\n");
  assert.deepEqual(commentStyle({ lineComment: { comment: ";" }, blockComment: ["a", "b"] }), {
    line: ";",
    block: ["a", "b"],
  });
  assert.equal(commentStyle({}), undefined);
});

test("a place follows its line", () => {
  const table: [{ start: number; end: number; breaks: number }[], number][] = [
    [[{ start: 2, end: 2, breaks: 3 }], 13],
    [[{ start: 2, end: 5, breaks: 0 }], 7],
    [[{ start: 12, end: 12, breaks: 3 }], 10],
    [[{ start: 8, end: 12, breaks: 0 }], 8],
    [
      [
        { start: 20, end: 21, breaks: 1 },
        { start: 1, end: 1, breaks: 1 },
      ],
      11,
    ],
  ];
  for (const [changes, line] of table) assert.equal(shifted(10, changes), line, JSON.stringify(changes));
});

test("the usage page gets a policy first of all", () => {
  assert.match(
    guarded('<html><head lang="en"><style></style>'),
    /<head lang="en"><meta http-equiv="Content-Security-Policy"/,
  );
  assert.match(guarded("<p>"), /^<meta http-equiv/);
});

test("an edit is shown in its lines where it fits", () => {
  const edit = (newText: string, lines = 1) => ({ startLine: 3, endLine: 2 + lines, newText });
  const table: [string, string | undefined, boolean][] = [
    [": str", ": str", true],
    ["", undefined, true],
    ["\n", undefined, true],
    ["a\n    b\n", "a … +1 line", false],
    ['\n    """Doc.\n\n    More."""', '"""Doc. … +3 lines', false],
  ];
  for (const [newText, shown, fits] of table) {
    assert.equal(ghost(newText), shown, JSON.stringify(newText));
    assert.equal(fitsInLines([edit(newText)]), fits, JSON.stringify(newText));
  }
  assert.equal(fitsInLines([edit("", 2)]), false);
});

test("of a line only the words are marked that change", () => {
  const marked = (before: string, after: string) => {
    const parts = changedParts(before, after);
    let [line, at] = ["", 0];
    let result = "";
    for (const { start, end, text } of parts) {
      line += `${before.slice(at, start)}[${before.slice(start, end)}|${text}]`;
      result += before.slice(at, start) + text;
      at = end;
    }
    assert.equal(result + before.slice(at), after);
    return line + before.slice(at);
  };
  assert.equal(marked("(a, b=1)", "(a, b: int = 1) -> str"), "(a, b[|: int ]=[| ]1)[| -> str]");
  assert.equal(marked("", "x"), "[|x]");
  assert.equal(marked("x y", ""), "[x y|]");
  assert.equal(marked("same", "same"), "same");
  assert.equal(marked("old", "new"), "[old|new]");
  assert.equal(marked("μ = é", "μ = ö"), "μ = [é|ö]");
});

test("the server's lines keep their level", () => {
  const said: string[] = [];
  const at = (level: string) => (line: string) => void said.push(`${level}: ${line}`);
  const log = { trace: at("trace"), debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const take = passedOn(log);
  for (const line of [
    "error: unexpected argument '--nonsense' found",
    "2026-01-02T03:04:05.678901Z  WARN aside::config: `modle` is no setting;",
    "did you mean `model`?",
    "2026-01-02T03:04:05.678902Z  INFO aside::server: the client said ERROR once",
    "2026-01-02T03:04:05.678903Z DEBUG aside::claude: sent",
    "2026-01-02T03:04:05.678904Z TRACE aside::claude: {}",
    "thread 'main' (7) panicked at src/main.rs:1:2:",
    "2026-01-02T03:04:05.678905Z ERROR aside::jobs: a job panicked",
  ])
    take(line);
  assert.deepEqual(said, [
    "error: error: unexpected argument '--nonsense' found",
    "warn: aside::config: `modle` is no setting;",
    "warn: did you mean `model`?",
    "info: aside::server: the client said ERROR once",
    "debug: aside::claude: sent",
    "trace: aside::claude: {}",
    "error: thread 'main' (7) panicked at src/main.rs:1:2:",
    "error: aside::jobs: a job panicked",
  ]);
});
