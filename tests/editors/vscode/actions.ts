// The actions besides the main job's, each where its user finds it: ask, follow up, review, fix, implement, simplify,
// a picture's text, a workspace's own; and what is told while one waits, thinks or breaks off.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { assert, type Editor, gate, onDisk, room, until } from "./editor.ts";

/** Files of the project's that only these parts need. Each has words that occur nowhere else, for the scenario. */
const FILES = {
  "doubtful.py":
    "def gathered(item, found=[]):\n    if item == None:\n        return found\n    found.append(item)\n    return found\n",
  "guarded.py": 'def signed_in(user):\n    password = "kR7-vq2-Zp9x"\n    return login(user, password)\n',
  "notes.md": "# Shelves\n\n![](shelf.png)\n",
  "shelf.css": ".shelf {\n  colr: red;\n}\n",
  "stub.py":
    'def shelf_of(sku):\n    """The shelf of an article: what stands in front of the dash."""\n    raise NotImplementedError\n',
  "wordy.py": "def is_wordy(text):\n    if len(text) > 9:\n        return True\n    else:\n        return False\n",
  "waiting.py": "def waiting_room():\n    return 1\n",
  "thinking.py": "def thinking_cap():\n    return 2\n",
  "broken.py": "def broken_off():\n    return 3\n",
};

const IMPLEMENTED = FILES["stub.py"].replace("raise NotImplementedError", 'return sku.split("-")[0]');
const SIMPLIFIED = "def is_wordy(text):\n    return len(text) > 9\n";
const MENDED = FILES["shelf.css"].replace("colr", "color");

const fenced = (language: string, code: string) => `\`\`\`${language}\n${code}\`\`\`\n`;

/** What the API answers where the simulator by itself would not know. */
export const SCENARIO = {
  step: [
    { times: "always", match: { action: "implement" }, answer: fenced("python", IMPLEMENTED) },
    { times: "always", match: { action: "simplify" }, answer: fenced("python", SIMPLIFIED) },
    { times: "always", match: { action: "fix" }, answer: fenced("css", MENDED) },
    {
      times: "always",
      match: { text: "waiting_room", action: "explain" },
      status: 529,
      headers: { "retry-after": "25" },
    },
    {
      times: "always",
      match: { text: "thinking_cap", action: "explain" },
      thinking: "Two is what it gives, whoever wears it.",
      answer: "It gives two.",
      stall: { at: "delta", deltas: 3 },
    },
    {
      match: { text: "broken_off", action: "explain" },
      answer: "The first half was said, and so were a few words more. The second half was not said.",
      thinking: "",
      cut: { after_deltas: 5 },
    },
    { times: "always", match: { text: "broken_off" }, answer: "The second half was said too." },
  ],
};

/** Puts the files of these parts into the project. */
export function prepare(): void {
  for (const [name, text] of Object.entries(FILES)) writeFileSync(path.join(room.project, name), text);
}

const words = (editor: Editor) => editor.page.locator(".quick-input-widget input").first();

/** Answers what an input box asks. */
async function say(editor: Editor, text: string): Promise<void> {
  await words(editor).waitFor();
  await words(editor).fill(text);
  await editor.page.keyboard.press("Enter");
}

/** Opens one of the files, with the cursor at a place. */
async function at(editor: Editor, file: string, line = 1, column = 1): Promise<void> {
  // Else it opens beside the page, if that has the keys.
  await editor.focus();
  await editor.open(file);
  await editor.goTo(line, column);
}

/** Waits until an edit is there; it is what it should be, and one undo takes it back. */
async function landed(editor: Editor, file: string, what: string, is: (text: string) => boolean): Promise<void> {
  const before = onDisk(file);
  await editor.page.locator(".tab.dirty", { hasText: file }).first().waitFor();
  await editor.saved(file);
  assert(what, is(onDisk(file)), onDisk(file));
  await editor.capture(what.replaceAll(/\W+/g, "-"));
  await editor.page.keyboard.press("Control+Z");
  await editor.saved(file);
  await until(`${what}: it is on the disk as before`, () => onDisk(file) === before);
  assert(`${what}; one undo takes it back`, true);
}

/** Waits until nothing runs. */
async function idle(editor: Editor): Promise<void> {
  await until("nothing runs", async () => !/running/.test(await editor.status().innerText()));
}

async function ask(editor: Editor): Promise<void> {
  await at(editor, "doubtful.py");
  const menu = await editor.codeActions();
  assert(
    "the menu of actions has: ask",
    menu.some(entry => entry.includes("Aside: ask")),
    menu.join("\n"),
  );
  await editor.choose("Aside: ask");
  gate.close();
  await say(editor, "Who else calls `parse_price`?");
  await until("the answer begins", gate.holds);
  const preview = await editor.preview();
  await preview.locator("#looks li", { hasText: "parse_price" }).first().waitFor();
  assert("what the model looks at for an answer is told while it does", true);
  await preview.locator("blockquote", { hasText: "Who else calls" }).waitFor();
  await editor.capture("ask");
  gate.open();
  await preview.locator("blockquote", { hasText: "Who else calls" }).waitFor();
  await preview.locator("main", { hasText: "inventory.py" }).waitFor();
  // Its document takes the place of what streamed in.
  await preview.locator("hr").first().waitFor();
  assert("the answer stands below its question", (await preview.locator("#looks li").count()) === 0);
  await editor.capture("answer");

  await at(editor, "doubtful.py");
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("a");
  await say(editor, "add a warning about the default");
  await landed(editor, "doubtful.py", "a wish becomes an edit", text => text.length > FILES["doubtful.py"].length);
  const said = await (await editor.preview()).locator("main").innerText();
  assert("and the page says so", said.includes("change of the code"), said);
}

async function followUp(editor: Editor): Promise<void> {
  await editor.front("inventory.py");
  await editor.goTo(80);
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("e");
  const preview = await editor.preview();
  await preview.locator("h1", { hasText: "parse_price" }).waitFor();
  await preview.locator("hr").first().waitFor();
  await idle(editor);
  const first = await preview.locator("main").innerText();
  const position = await preview.locator("#position").innerText();
  gate.close();
  await preview.getByRole("button", { name: "Follow Up…" }).click();
  await say(editor, "Where is `restock_report` defined?");
  await until("the next answer begins", gate.holds);
  await preview.locator("blockquote", { hasText: "Where is" }).waitFor();
  assert("a question is asked in the page, and stands there while it is answered", true);
  await editor.capture("follow-up");
  gate.open();
  await preview.locator("hr").nth(1).waitFor();
  const whole = await preview.locator("main").innerText();
  assert("the answer comes below the explanation", whole.startsWith(first.slice(0, 200)), whole);
  assert("it has what was found", whole.slice(first.length).includes("def restock_report"), whole);
  const now = await preview.locator("#position").innerText();
  assert("and is no explanation of its own", now === position, `${position} ${now}`);
  await editor.capture("followed-up");
  await preview.getByRole("button", { name: "Copy" }).click();
  await until("the newest answer is copied", async () => (await editor.clipboard()).includes("def restock_report"));
}

async function review(editor: Editor): Promise<void> {
  await at(editor, "doubtful.py");
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("r");
  await editor.page.locator(".squiggly-warning, .squiggly-error").first().waitFor();
  assert("what a review finds is underlined", true);
  await idle(editor);
  await editor.page.keyboard.press("F8");
  const peek = editor.page.locator(".peekview-widget, .marker-widget").first();
  await peek.waitFor();
  assert("the finding can be read, with whose it is", /aside/i.test(await peek.innerText()), await peek.innerText());
  await editor.capture("review");
  await editor.page.keyboard.press("Escape");
  await editor.goTo(2);
  const menu = await editor.codeActions();
  assert(
    "one with a replacement has a quick fix",
    menu.some(entry => entry.includes("Aside: repair")),
    menu.join("\n"),
  );
  await editor.capture("repair");
  await editor.choose("Aside: repair");
  await landed(editor, "doubtful.py", "which replaces its lines", text => text.includes("if item is None:"));
}

async function image(editor: Editor): Promise<void> {
  const clip = { x: 0, y: 0, width: 64, height: 48 };
  await editor.page.screenshot({ path: path.join(room.project, "shelf.png"), clip });
  await at(editor, "notes.md", 3, 3);
  await editor.codeActions();
  await editor.choose("Aside: describe image");
  await landed(editor, "notes.md", "a picture gets its text", text => /!\[[^\]]*64[^\]]*\]\(shelf\.png\)/.test(text));
}

async function secret(editor: Editor): Promise<void> {
  await at(editor, "guarded.py");
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("e");
  const told = editor.page.locator(".notification-toast", { hasText: "secret was kept back" });
  await told.waitFor();
  assert("what was kept back is told", /password/.test(await told.innerText()), await told.innerText());
  await editor.capture("secret");
  await idle(editor);
}

async function own(editor: Editor): Promise<void> {
  const folder = path.join(room.project, ".aside", "actions");
  mkdirSync(folder, { recursive: true });
  const action = "---\ntitle: count the branches of\n---\nSay how many branches the selected code has.\n";
  writeFileSync(path.join(folder, "count-branches.md"), action);
  await editor.front("inventory.py");
  await editor.goTo(80);
  const question = editor.page.locator(".notification-toast", { hasText: "this workspace brings an action" });
  await until("the workspace's action is asked about", async () => {
    await editor.codeActions();
    await editor.page.keyboard.press("Escape");
    return await question.isVisible();
  });
  await editor.capture("trust");
  await question.getByRole("button", { name: "Allow" }).click();
  const rows = editor.page.locator(".quick-input-list .monaco-list-row");
  await until("it is offered", async () => {
    await editor.focus();
    await editor.page.keyboard.press("Alt+A");
    await editor.page.keyboard.press("Space");
    await rows.filter({ hasText: "Explain" }).first().waitFor();
    if ((await rows.filter({ hasText: "Count the branches of" }).count()) > 0) return true;
    await editor.page.keyboard.press("Escape");
    return false;
  });
  assert("a workspace's action is listed once it was allowed", true);
  await editor.capture("run");
  await rows.filter({ hasText: "Count the branches of" }).first().click();
  const preview = await editor.preview();
  await preview.locator("h1", { hasText: /count the branches of/i }).waitFor();
  assert("and runs", true);
  await idle(editor);
}

async function implement(editor: Editor): Promise<void> {
  await at(editor, "stub.py");
  await editor.select(1, 3);
  await editor.codeActions();
  await editor.choose("Aside: implement");
  await landed(editor, "stub.py", "a stub is implemented", text => text === IMPLEMENTED);
}

async function simplify(editor: Editor): Promise<void> {
  await at(editor, "wordy.py");
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("s");
  await landed(editor, "wordy.py", "code is simplified", text => text === SIMPLIFIED);
}

async function fix(editor: Editor): Promise<void> {
  await at(editor, "shelf.css", 2, 4);
  await editor.page.locator(".squiggly-warning").first().waitFor();
  const menu = await editor.codeActions();
  const mends = menu.find(entry => entry.includes("Aside: fix"));
  assert(
    "what another extension complains of can be fixed",
    /colr|unknown property/i.test(mends ?? ""),
    menu.join("\n"),
  );
  await editor.capture("fix");
  await editor.choose("Aside: fix");
  await landed(editor, "shelf.css", "a complaint is mended", text => text === MENDED);
  await editor.goTo(2, 4);
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("f");
  await landed(editor, "shelf.css", "by its key as well", text => text === MENDED);
}

async function waits(editor: Editor): Promise<void> {
  await at(editor, "waiting.py");
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("e");
  const preview = await editor.preview();
  const note = preview.locator("#note", { hasText: /in \d+ s/ });
  await note.waitFor();
  const before = await note.innerText();
  await until("it counts down", async () => (await note.innerText()) !== before);
  assert("a wait counts down", true);
  await editor.capture("wait");
  await preview.getByRole("button", { name: "Stop" }).click();
  await preview.locator("#note", { hasText: "Cancelled" }).waitFor();
  assert("and can be stopped", true);
  await idle(editor);
}

async function thinks(editor: Editor): Promise<void> {
  await at(editor, "thinking.py");
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("e");
  const preview = await editor.preview();
  await preview.locator("h1", { hasText: "thinking_cap" }).waitFor();
  await preview.locator("#thinking summary").click();
  await preview.locator("#thinking", { hasText: "Two is what it gives" }).waitFor();
  assert("what the model thinks can be read while it does", true);
  await editor.capture("thinking");
  await preview.getByRole("button", { name: "Stop" }).click();
  await idle(editor);
}

async function goesOn(editor: Editor): Promise<void> {
  await at(editor, "broken.py");
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("e");
  const question = editor.page.locator(".notification-toast", { hasText: "What came of it is kept" });
  await question.waitFor();
  const preview = await editor.preview();
  await preview.locator("main", { hasText: "The first half" }).waitFor();
  assert("what came of an answer that broke off is kept", true);
  await editor.capture("broken-off");
  await question.getByRole("button", { name: "Go on" }).click();
  await preview.locator("main", { hasText: "The second half was said too." }).waitFor();
  const whole = await preview.locator("main").innerText();
  assert("and the model goes on with it", whole.includes("The first half"), whole);
  await editor.capture("gone-on");
  await idle(editor);
}

/** Parts that the simulator has answers for. */
export const parts = { ask, followUp, review, image, secret, own };

/** Parts that play [`SCENARIO`]. */
export const played = { implement, simplify, fix, waits, thinks, goesOn };
