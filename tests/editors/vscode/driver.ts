// The main job in VS Code, part by part: explain, hover, edit, undo, tests, cancel, usage, preview; then all other actions.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parts, played, prepare, SCENARIO } from "./actions.ts";
import {
  assert,
  bad,
  Editor,
  type EditorOptions,
  environmentsOf,
  gate,
  onDisk,
  playing,
  room,
  until,
} from "./editor.ts";
import { coldStarts, firstStarts, frames } from "./measure.ts";
import { pictures } from "./pictures.ts";

const FILE = "inventory.py";
const MISSING = "/opt/elsewhere/aside";
const original = onDisk(FILE);

/** What the command line makes of the file, with which the editor shares all code but this one. */
function expected(name: string): string {
  return readFileSync(path.join(room.home, name), "utf8");
}

/** A function's first line, from 1, and how many it has. */
function lines(name: string): [number, number] {
  const all = original.split("\n");
  const first = all.findIndex(line => line.startsWith(`def ${name}(`));
  let last = first;
  for (let index = first + 1; index < all.length && !/^\S/.test(all[index] ?? ""); index += 1) {
    if (all[index]?.trim()) last = index;
  }
  return [first + 1, last - first + 1];
}

/** The file as it was on the disk. */
async function restored(editor: Editor, name: string): Promise<void> {
  await editor.focus();
  await editor.page.keyboard.press("Control+Z");
  await editor.saved(FILE);
  await until(`${name}: it is on the disk`, () => onDisk(FILE) === original);
  assert(name, true);
}

async function explain(editor: Editor): Promise<void> {
  const { page } = editor;
  await editor.select(...lines("restock_report"));
  gate.close();
  await editor.contextMenu("Aside", "Explain");
  await until("the answer begins", gate.holds);
  const preview = await editor.preview();
  await preview.locator("#tail p").first().waitFor();
  const begun = await preview.locator("main").innerText();
  assert("the explanation streams: its first words are there while the rest is not", begun.trim().length > 0);
  const stop = preview.getByRole("button", { name: "Stop" });
  assert("it can be stopped while it streams", await stop.isVisible());
  assert("nobody took the keys away", await editor.hasFocus());
  await editor.capture("streaming");
  gate.open();
  await stop.waitFor({ state: "hidden" });
  const heading = preview.locator("h1", { hasText: "restock_report" });
  await heading.waitFor();
  const whole = await preview.locator("main").innerText();
  assert("the rest came", whole.length > begun.length, whole);
  assert("it is rendered", (await preview.locator("main code").count()) > 0);
  assert("it says what it cost", /\$0\.\d+/.test(await preview.locator("body").innerText()));
  await editor.capture("explanation");

  await preview.getByRole("button", { name: "Copy" }).click();
  await until("the clipboard has it", async () => (await editor.clipboard()).length > 100);
  const copied = await editor.clipboard();
  assert("copy takes the Markdown of the answer", copied.includes("`") && !copied.startsWith("# Explain"), copied);

  await preview.getByRole("button", { name: "Insert as Comment" }).click();
  await page.locator(".tab.dirty", { hasText: FILE }).waitFor();
  await editor.saved(FILE);
  const added = onDisk(FILE)
    .split("\n")
    .filter(line => !original.split("\n").includes(line));
  assert(
    "it is inserted as a comment",
    added.length > 1 && added.every(line => line.startsWith("#")),
    added.join("\n"),
  );
  const above = onDisk(FILE).split("\ndef restock_report")[0] ?? "";
  assert("right above the code", (above.split("\n").at(-1) ?? "").startsWith("#"));
  await editor.capture("comment");
  await restored(editor, "one undo takes the comment away");
}

async function hover(editor: Editor): Promise<void> {
  const [first] = lines("restock_report");
  await editor.goTo(first, "def r".length);
  await editor.page.keyboard.press("Control+K");
  await editor.page.keyboard.press("Control+I");
  const hover = editor.page.locator(".monaco-hover:visible", { hasText: "dict(sorted" });
  await hover.waitFor();
  assert("the explained code tells its explanation in a hover", true);
  await editor.capture("hover");
  await editor.page.keyboard.press("Escape");
  await editor.page.mouse.move(5, 5);
}

async function edit(editor: Editor): Promise<void> {
  await editor.select(...lines("restock_report"));
  const menu = await editor.codeActions();
  for (const title of ["explain", "add type hints", "write tests", "document"]) {
    assert(
      `the menu of actions has: ${title}`,
      menu.some(entry => entry.includes(`Aside: ${title}`)),
      menu.join("\n"),
    );
  }
  await editor.capture("menu");
  await editor.choose("Aside: add type hints");
  await editor.page.locator(".tab.dirty", { hasText: FILE }).waitFor();
  await editor.saved(FILE);
  assert("the edit is what the answer says", onDisk(FILE) === expected("hints-restock_report"), onDisk(FILE));
  await editor.capture("edit");
  await restored(editor, "one undo brings the text back");
}

async function tests(editor: Editor): Promise<void> {
  await editor.select(...lines("restock_report"));
  await editor.command("Aside: Write Tests");
  await editor.page.locator(".tab.dirty", { hasText: "test_inventory.py" }).waitFor();
  await editor.page.locator(".view-line", { hasText: "def test_restock_report" }).first().waitFor();
  assert("tests are written into their file", true);
  await editor.capture("tests");
  await editor.page.locator(".tab", { hasText: FILE }).first().click();
  assert("the code under test stays as it is", onDisk(FILE) === original);
}

async function cancel(editor: Editor): Promise<void> {
  await editor.front(FILE);
  await editor.select(...lines("parse_price"));
  gate.close();
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("h");
  await until("the answer begins", gate.holds);
  const progress = editor.page.locator(".notification-toast", { hasText: "Add type hints to" });
  await progress.waitFor();
  await until("the status bar says that something runs", async () =>
    /1 running/.test(await editor.status().innerText()),
  );
  assert("what runs is in the status bar", true);
  await editor.capture("progress");
  await progress.getByRole("button", { name: "Cancel" }).click();
  await until("the request is hung up", gate.isLeft);
  assert("cancel hangs up and does not wait", true);
  await progress.waitFor({ state: "hidden" });
  gate.open();
  await until("nothing runs any more", async () => !/running/.test(await editor.status().innerText()));
  await editor.saved(FILE);
  assert("nothing was changed", onDisk(FILE) === original, onDisk(FILE));
}

async function usage(editor: Editor): Promise<void> {
  const lines = editor.log().split("\n");
  const complaints = lines.filter(line => line.includes("[error]"));
  assert(
    "what the server logs keeps its level",
    lines.some(line => /\[info\] aside(?:::\w+)*: /.test(line)),
    editor.log(),
  );
  assert("so that nothing looks like an error which is none", complaints.length === 0, complaints.join("\n"));
  const status = await editor.status().innerText();
  assert(
    "the status bar has today's cost and the share from the cache",
    /\$\d\.\d+ · [1-9]\d*% cached/.test(status),
    status,
  );
  await editor.status().click();
  const page = await editor.frame("the usage page", "table, svg");
  assert("a click shows the usage", /explain/.test(await page.locator("body").innerText()), await page.content());
  await editor.capture("usage");
}

async function preview(editor: Editor): Promise<void> {
  const { page } = editor;
  const lens = (words: string) => page.locator(".codelens-decoration a:visible", { hasText: words });
  const propose = async () => {
    await editor.select(...lines("parse_price"));
    await page.keyboard.press("Alt+A");
    await page.keyboard.press("h");
    await lens("Accept: Add type hints to parse_price").waitFor();
  };
  await propose();
  await until("the hints are in the line", async () => (await editor.ghosts()).some(text => text.includes(": str")));
  assert("the difference is shown in place", true);
  await editor.capture("proposal");
  await lens("Reject").click();
  await lens("Reject").waitFor({ state: "hidden" });
  assert("reject takes the difference away", (await editor.ghosts()).length === 0);
  await editor.saved(FILE);
  assert("and changes nothing", onDisk(FILE) === original);

  await propose();
  await lens("Compare").click();
  await page.locator(".monaco-diff-editor .view-line", { hasText: "def parse_price" }).first().waitFor();
  assert("the diff editor shows it, and its own half no second time", (await editor.ghosts()).length === 0);
  await editor.capture("compare");
  await page.locator('.editor-actions [aria-label^="Accept Edit"]:visible').first().click();
  await page.locator(".tab.dirty", { hasText: FILE }).waitFor();
  await page.locator(".monaco-diff-editor").waitFor({ state: "hidden" });
  await editor.front(FILE);
  await editor.saved(FILE);
  assert("accept makes the edit", onDisk(FILE) === expected("hints-parse_price"), onDisk(FILE));
  assert("and takes the difference away", (await editor.ghosts()).length === 0);
  await restored(editor, "one undo takes an accepted edit back");

  await editor.select(...lines("parse_price"));
  await editor.command("Aside: Write Tests");
  await page.locator(".monaco-diff-editor .view-line", { hasText: "def test_parse_price" }).first().waitFor();
  assert("what does not fit into the lines is shown in the diff editor", true);
  await editor.capture("proposed-tests");
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("n");
  await page.locator(".monaco-diff-editor").waitFor({ state: "hidden" });
  assert("and is gone after a no", true);
  await editor.front(FILE);

  await editor.select(...lines("parse_price"));
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("e");
  const explanation = await editor.preview();
  await explanation.locator("body", { hasText: "Simulated" }).waitFor();
  assert("what is simulated says so", true);
  const loaded = editor.foreign();
  assert("nothing was loaded from elsewhere", loaded.length === 0, loaded.join("\n"));
}

async function lenses(editor: Editor): Promise<void> {
  await editor.goTo(1);
  await editor.page.locator(".view-line", { hasText: "class OutOfStock" }).waitFor();
  const lens = editor.page.locator(".codelens-decoration a:visible", { hasText: "Explain" }).first();
  await lens.click();
  const explanation = await editor.preview();
  await explanation.locator("h1", { hasText: "__init__" }).waitFor();
  await explanation.locator("body", { hasText: "no model wrote this" }).waitFor();
  assert("actions that the settings name stand above the functions", true);
  await editor.capture("lenses");
}

async function untrusted(editor: Editor): Promise<void> {
  const { page } = editor;
  await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).first().waitFor();
  await editor.goTo(lines("parse_price")[0]);
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("e");
  const preview = await editor.preview();
  await preview.locator("h1", { hasText: "parse_price" }).waitFor();
  await preview.locator("hr").waitFor();
  assert("in a folder that is not trusted, code is explained when its user asks for it", true);
  const lens = page.locator(".codelens-decoration a:visible", { hasText: "Explain" });
  assert("and the folder's own settings are ignored", (await lens.count()) === 0);
  await editor.capture("restricted");
  await editor.command("Workspaces: Manage Workspace Trust");
  await page.locator(".workspace-trust-editor").getByRole("button", { name: "Trust", exact: true }).click();
  await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor({ state: "hidden" });
  await page.locator('[class*="modal-editor"] .codicon-close').last().click();
  await page.locator(".workspace-trust-editor").waitFor({ state: "hidden" });
  await editor.front(FILE);
  await editor.goTo(lines("parse_price")[0]);
  await lens.first().waitFor();
  assert("once it is trusted they count", true);
  await editor.capture("trusted");
}

async function key(editor: Editor): Promise<void> {
  const { page } = editor;
  await editor.goTo(lines("parse_price")[0]);
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("e");
  const offer = page.locator(".notification-toast", { hasText: "Aside needs a key" });
  await offer.waitFor();
  assert("without a key it says what to do", true);
  await editor.capture("no-key");
  await offer.getByRole("button", { name: "Try Without an Account" }).click();
  await until("the server starts anew", () => editor.starts() > 1);
  await editor.focus();
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("e");
  const explanation = await editor.preview();
  await explanation.locator("body", { hasText: "no model wrote this" }).waitFor();
  assert("one click is enough to try it without an account", true);

  await editor.command("Aside: Set API Key");
  await page.locator(".quick-input-widget input").first().fill("sk-ant-from-the-editor");
  await page.keyboard.press("Enter");
  await until("the server starts with the key", () => editor.starts() > 2);
  const environments = environmentsOf(room.program, "serve");
  assert(
    "the key reaches the server in its environment",
    environments.some(it => it.includes("ANTHROPIC_API_KEY=sk-ant-from-the-editor")),
  );
  assert("and stands in no file", !(await editor.isWrittenDown("sk-ant-from-the-editor")));

  // The window's first server does not wait for the key; then one that has it takes its place.
  const starts = editor.starts();
  await page.reload();
  await until("the server starts without it, and with it", () => editor.starts() === starts + 2);
  let serving: string[] = [];
  await until("one server is left", () => {
    serving = environmentsOf(room.program, "serve");
    return serving.length === 1;
  });
  const has = serving[0]?.includes("ANTHROPIC_API_KEY=sk-ant-from-the-editor") ?? false;
  assert("a window that is opened again has the key as well", has);
  await editor.open(FILE);
  await editor.goTo(lines("parse_price")[0]);
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("e");
  const again = await editor.preview();
  await again.locator("body", { hasText: "no model wrote this" }).waitFor();
  assert("and explains", true);
}

async function walkthrough(editor: Editor): Promise<void> {
  const { page } = editor;
  // Where there is little room VS Code leaves the half with the pages out.
  await editor.command("View: Join All Editor Groups");
  const size = page.viewportSize();
  await page.setViewportSize({ width: 1700, height: 900 });
  await editor.command("Welcome: Open Walkthrough...");
  const row = page.locator(".quick-input-list .monaco-list-row", { hasText: "Get started with Aside" });
  await row.first().click();
  const steps = page.locator(".gettingStartedContainer .getting-started-step");
  await steps.first().waitFor();
  const titles = ["Give it a key, or none", "Explain something", "Let it edit", "Know what it costs"];
  const shown = await steps.locator(".step-title").allInnerTexts();
  assert("the walkthrough has its four steps", JSON.stringify(shown) === JSON.stringify(titles), shown.join("\n"));
  const media = page.locator(".gettingStartedContainer .getting-started-media");
  for (const [index, [title, words]] of WALKTHROUGH.entries()) {
    const step = steps.nth(index);
    if (!(await step.getAttribute("class"))?.includes("expanded")) await step.locator(".step-title").click();
    await step.locator(".button-container").first().waitFor();
    const text = await step.innerText();
    if (/[*`]/.test(text)) assert("its words have no marks of Markdown's in them", false, text);
    if (words === "") await media.locator("img").waitFor();
    else await editor.frame(`the page beside ${title}`, `body:has-text("${words}")`);
    await editor.capture(`walkthrough-${index + 1}`);
  }
  assert("each has its page or picture beside it", true);
  await steps.last().getByRole("button", { name: "Show Usage" }).click();
  await editor.frame("the usage page", "table, svg");
  assert("and its buttons do what they say", true);
  if (size) await page.setViewportSize(size);
}

/** The walkthrough's steps, and words of the page beside each; none where there is a picture. */
const WALKTHROUGH = [
  ["Give it a key, or none", ""],
  ["Explain something", "Beside your code"],
  ["Let it edit", "One edit, one undo"],
  ["Know what it costs", "In plain sight"],
] as const;

async function serverless(editor: Editor): Promise<void> {
  const { page } = editor;
  const message = page.locator(".notification-toast", { hasText: "there is no program at" });
  await message.waitFor();
  const told = await message.innerText();
  const named = told.includes(MISSING) && told.includes("aside.server.path");
  assert("without a server it says where it looked, and who said so", named, told);
  assert("and offers to choose it", await message.getByRole("button", { name: "Choose Program…" }).isVisible());
  await editor.capture("no-server");
  await message.getByRole("button", { name: "How to Install" }).click();
  await page.locator(".extension-editor", { hasText: "Aside" }).first().waitFor();
  const readme = await editor.frame("the extension's page", 'body:has-text("cargo install")').catch(() => undefined);
  await editor.capture("how-to-install");
  assert("its other button opens the page that says how to install it", readme !== undefined);
  editor.set({ "aside.server.path": room.program });
  await until("the server starts", () => editor.starts() > 0);
  assert("once the setting is right the server starts by itself", true);
}

/** A part that stops in its middle has said why, and the rest of it would only repeat it. */
async function part(editor: Editor, name: string, run: (editor: Editor) => Promise<void>): Promise<void> {
  const wanted = process.argv.slice(2);
  if (wanted.length > 0 && !wanted.includes(name)) return;
  try {
    await run(editor);
  } catch (error) {
    await editor.capture(`failed-${name}`);
    bad(name, `${String(error)}\n${await editor.circumstances()}`);
    // What was left open is not the next part's business.
    for (let index = 0; index < 3; index += 1) await editor.page.keyboard.press("Escape");
  } finally {
    gate.open();
  }
}

if (process.argv[2] === "measure") {
  const only = process.argv[3];
  const parts = { first: firstStarts, again: coldStarts, frames };
  for (const [name, part] of Object.entries(parts)) {
    if (only === undefined || only === name) await part();
  }
  process.exit();
}

if (process.argv[2] === "pictures") {
  await pictures(process.argv[3] ?? room.captures);
  process.exit();
}

prepare();
type Parts = Record<string, (editor: Editor) => Promise<void>>;

/** Parts in one window, if any of them is wanted. */
async function session(options: Omit<EditorOptions, "file">, all: Parts): Promise<void> {
  const wanted = process.argv.slice(2);
  if (wanted.length > 0 && !Object.keys(all).some(name => wanted.includes(name))) return;
  const editor = await Editor.start({ file: FILE, ...options });
  for (const [name, run] of Object.entries(all)) await part(editor, name, run);
  await editor.close();
}

await session({}, { explain, hover, edit, tests, cancel, usage, walkthrough });
await session({}, parts);
const simulated = { "aside.server.simulate": true, "aside.edits.confirm": "preview", "aside.codeLens": ["explain"] };
await session({ settings: simulated }, { preview, lenses });
const api = await playing(SCENARIO);
await session({ environment: api.environment, settings: { "aside.thinking.show": true } }, played);
api.end();
await session({ environment: { ANTHROPIC_API_KEY: "" } }, { key });
await session({ lacksServer: true, settings: { "aside.server.path": MISSING } }, { serverless });
mkdirSync(path.join(room.project, ".vscode"));
writeFileSync(path.join(room.project, ".vscode", "settings.json"), JSON.stringify({ "aside.codeLens": ["explain"] }));
await session({ asksForTrust: true }, { untrusted });
