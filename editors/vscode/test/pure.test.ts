import assert from "node:assert/strict";
import { test } from "node:test";
import { comment, commentStyle } from "../src/comment.ts";
import { guarded } from "../src/guarded.ts";
import { changedParts, fitsInLines, ghost } from "../src/inline.ts";
import { Jobs } from "../src/jobs.ts";
import { isOlder, locate } from "../src/locate.ts";
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
