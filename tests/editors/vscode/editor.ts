// VS Code as its user has it: code-server with the packaged extension, in a headless Chromium.
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Browser, type BrowserContext, chromium, type Frame, type Locator, type Page } from "playwright-core";

/** Files of extensions have addresses below this name, which a worker in the browser answers. */
const RESOURCES = ".vscode-resource.vscode-cdn.net";

/** A limit for what hangs, not a measure of speed. */
const PATIENCE = 30_000;

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start this by tests/editors/vscode/run`);
  return value;
}

/** Where things are. */
export const room = {
  project: variable("ASIDE_TEST_PROJECT"),
  home: variable("ASIDE_TEST_HOME"),
  gate: variable("ASIDE_TEST_GATE"),
  captures: variable("ASIDE_TEST_CAPTURES"),
  program: variable("ASIDE_TEST_PROGRAM"),
};

const results = variable("ASIDE_TEST_RESULTS");

/** Writes an assertion down; one that fails ends the part it is in. */
export function assert(name: string, good: boolean, why = ""): void {
  appendFileSync(
    results,
    `${good ? "ok" : "not ok"} - ${name}\n${good || why === "" ? "" : `  ${why.replaceAll("\n", "\n  ")}\n`}`,
  );
  if (!good) throw new Error(name);
}

/** Writes down what went wrong outside of an assertion. */
export function bad(name: string, why: string): void {
  appendFileSync(results, `not ok - ${name}\n  ${why.trimEnd().replaceAll("\n", "\n  ")}\n`);
}

/** Waits until something is so. */
export async function until(what: string, so: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await so())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 30));
  }
}

/** The gate in front of the simulated API: closed, it lets the first words of an answer pass and holds the rest. */
export const gate = {
  close(): void {
    for (const name of ["held", "gone"]) rmSync(path.join(room.gate, name), { force: true });
    writeFileSync(path.join(room.gate, "closed"), "");
  },
  open: () => rmSync(path.join(room.gate, "closed"), { force: true }),
  isClosed: () => existsSync(path.join(room.gate, "closed")),
  holds: () => existsSync(path.join(room.gate, "held")),
  /** Whoever asked did not wait for the end. */
  isLeft: () => existsSync(path.join(room.gate, "gone")),
};

/** An API of its own that plays a scenario: its environment, and how it ends. */
export async function playing(scenario: object): Promise<{ environment: Record<string, string>; end: () => void }> {
  const file = path.join(room.home, "scenario.json");
  writeFileSync(file, JSON.stringify(scenario));
  const api = spawn(room.program, ["simulate", "--scenario", file], { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => api.kill("SIGTERM"));
  const url = await new Promise<string>((resolve, reject) => {
    api.stdout.on("data", (said: Buffer) => {
      const found = /http:\/\/\S+/.exec(said.toString());
      if (found) resolve(found[0]);
    });
    api.on("exit", () => reject(new Error("the simulator ended")));
  });
  const environment = { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: "simulated" };
  return { environment, end: () => api.kill("SIGTERM") };
}

/** A file of the project's, as it is on the disk. */
export function onDisk(file: string): string {
  return readFileSync(path.join(room.project, file), "utf8");
}

/** The environments of the processes of a program, each as it was started. */
export function environmentsOf(program: string, argument: string): string[] {
  const processes = readdirSync("/proc").filter(name => /^\d+$/.test(name));
  return processes.flatMap(id => {
    try {
      const command = readFileSync(`/proc/${id}/cmdline`, "utf8").split("\0");
      // Not what only has its name among its arguments, as a program that listens to the two has.
      const is = command.includes(argument) && path.basename(command[0] ?? "") === path.basename(program);
      return is ? [readFileSync(`/proc/${id}/environ`, "utf8")] : [];
    } catch {
      // It has ended, or is somebody else's.
      return [];
    }
  });
}

export interface EditorOptions {
  /** The file to begin with. */
  file: string;
  settings?: Record<string, unknown>;
  environment?: Record<string, string>;
  /** Whether VS Code asks before it trusts a folder, and has not asked yet. */
  asksForTrust?: boolean;
  /** Whether the editor was never started before by this user. */
  isNew?: boolean;
  /** Whether it has the extension in it that does nothing, instead of Aside. */
  isBare?: boolean;
  /** Whether there is no server to wait for. */
  lacksServer?: boolean;
  size?: { width: number; height: number };
  scale?: number;
}

export class Editor {
  readonly page: Page;
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  readonly #server: ChildProcess;
  readonly #data: string;
  readonly #foreign: string[] = [];

  private constructor(page: Page, browser: Browser, context: BrowserContext, server: ChildProcess, data: string) {
    this.page = page;
    this.#browser = browser;
    this.#context = context;
    this.#server = server;
    this.#data = data;
  }

  /** Starts the editor on the project. */
  static async start(options: EditorOptions): Promise<Editor> {
    const data = path.join(room.home, "code");
    if (options.isNew) rmSync(data, { recursive: true, force: true });
    mkdirSync(path.join(data, "Machine"), { recursive: true });
    mkdirSync(path.join(data, "User"), { recursive: true });
    const settings = {
      "workbench.startupEditor": "none",
      "workbench.colorTheme": "Default Dark Modern",
      "workbench.layoutControl.enabled": false,
      "workbench.tips.enabled": false,
      "workbench.secondarySideBar.defaultVisibility": "hidden",
      "chat.disableAIFeatures": true,
      "editor.minimap.enabled": false,
      "files.autoSave": "off",
      "telemetry.telemetryLevel": "off",
      "extensions.ignoreRecommendations": true,
      "security.workspace.trust.startupPrompt": "never",
    };
    writeFileSync(path.join(data, "User", "settings.json"), JSON.stringify(settings));
    writeFileSync(
      path.join(data, "Machine", "settings.json"),
      JSON.stringify({ "aside.server.path": room.program, ...options.settings }),
    );
    // Those of an earlier session would be taken for this one's.
    rmSync(path.join(data, "logs"), { recursive: true, force: true });
    const program = variable("ASIDE_TEST_CODE_SERVER");
    const extensions = variable(options.isBare ? "ASIDE_TEST_BARE" : "ASIDE_TEST_EXTENSIONS");
    const server = spawn(
      program,
      // prettier-ignore
      [
        "--auth",
        "none",
        "--bind-addr",
        "127.0.0.1:0",
        "--user-data-dir",
        data,
        "--extensions-dir",
        extensions,
        "--disable-telemetry",
        "--disable-update-check",
        ...(options.asksForTrust ? [] : ["--disable-workspace-trust"]),
        "--disable-getting-started-override",
      ],
      {
        env: { ...process.env, EXTENSIONS_GALLERY: "{}", ASIDE_LOG: "debug", ...options.environment },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    // Also when a part of the test ends in an error that nobody expected.
    const stop = () => server.kill("SIGTERM");
    process.once("exit", stop);
    server.once("exit", () => process.off("exit", stop));
    const url = await new Promise<string>((resolve, reject) => {
      let said = "";
      const hear = (chunk: Buffer) => {
        said += chunk.toString();
        const found = /listening on (http:\/\/\S+)/.exec(said);
        if (found?.[1]) resolve(found[1]);
      };
      server.stdout.on("data", hear);
      server.stderr.on("data", hear);
      server.on("exit", () => reject(new Error(`code-server ended: ${said}`)));
    });
    // prettier-ignore
    const browser = await chromium.launch({
      executablePath: variable("ASIDE_TEST_CHROMIUM"),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
      ],
    });
    const context = await browser.newContext({
      viewport: options.size ?? { width: 1280, height: 800 },
      deviceScaleFactor: options.scale ?? 1,
      permissions: ["clipboard-read", "clipboard-write"],
      colorScheme: "dark",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const editor = new Editor(page, browser, context, server, data);
    const origin = new URL(url).origin;
    page.on("request", request => {
      const url = new URL(request.url());
      const here = url.origin === origin || ["data:", "blob:"].includes(url.protocol) || url.host.endsWith(RESOURCES);
      if (!here) editor.#foreign.push(request.url());
    });
    await page.goto(`${url}?folder=${encodeURIComponent(room.project)}`);
    await editor.open(options.file);
    // The commands are there when the server is.
    if (!options.isBare && !options.lacksServer) await until("the server is ready", () => editor.starts() > 0);
    return editor;
  }

  /** Opens a file of the project's from the explorer. */
  async open(file: string): Promise<void> {
    await this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: file }).first().dblclick();
    await this.page.locator(`.tab.active[data-resource-name="${file}"]`).waitFor();
  }

  /** Selects a line and so many after it. */
  async select(line: number, lines: number): Promise<void> {
    await this.goTo(line);
    for (let index = 0; index < lines; index += 1) await this.page.keyboard.press("Shift+ArrowDown");
  }

  /** The cursor at a line and column. */
  async goTo(line: number, column = 1): Promise<void> {
    await this.focus();
    await this.#ask("Control+G", `:${line}:${column}`, ".quick-input-widget", `line ${line}`);
    await this.page.keyboard.press("Enter");
    await this.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  }

  /** A command, by its name in the palette. */
  async command(name: string): Promise<void> {
    await this.#ask("F1", `>${name}`, ".quick-input-list .monaco-list-row", name);
    await this.page.keyboard.press("Enter");
  }

  /** Opens the box at the top by a key and fills it in, until what it then shows has these words. */
  async #ask(key: string, text: string, shown: string, words: string): Promise<void> {
    const input = this.page.locator(".quick-input-widget input").first();
    const answer = this.page.locator(shown, { hasText: words }).first();
    // Whatever takes the keys over closes the box, such as a page that has just been moved, and its user opens it again.
    await until(`the box has ${text}`, async () => {
      if (!(await input.isVisible())) await this.page.keyboard.press(key);
      return await input
        .fill(text, { timeout: 5000 })
        .then(() => answer.waitFor({ timeout: 5000 }))
        .then(
          () => true,
          () => false,
        );
    });
  }

  /** Opens the menu of code actions; what is in it. */
  async codeActions(): Promise<string[]> {
    const entries = this.page.locator(".action-widget .monaco-list-row");
    const asides = entries.filter({ hasText: "Aside" }).first();
    // A key that comes while the editor takes the keys over is lost, and its user presses it again.
    let tries = 0;
    await until("the menu of actions is there", async () => {
      // In an open menu the same key takes its first entry; where there is none, this one drops the selection.
      if (tries > 0 && (await entries.count()) > 0) await this.page.keyboard.press("Escape");
      tries += 1;
      await this.page.keyboard.press("Control+.");
      return await asides.waitFor({ timeout: 5000 }).then(
        () => true,
        () => false,
      );
    });
    return await entries.allInnerTexts();
  }

  /** Takes an entry of the open menu of code actions. */
  async choose(title: string): Promise<void> {
    await this.page.locator(".action-widget .monaco-list-row", { hasText: title }).first().click();
  }

  /** Takes an entry of a submenu of the menu that a right click on the selection opens. */
  async contextMenu(submenu: string, entry: string): Promise<void> {
    const selection = this.page.locator(".selected-text:visible").first();
    // Its items are in a shadow tree, which locators look through.
    const menu = this.page.locator(".monaco-menu .action-item", { hasText: submenu }).last();
    // What is drawn of a selection is drawn anew while it is clicked on, and what else comes up takes a menu away.
    await until(`the menu has ${submenu}`, async () => {
      if (await menu.isVisible()) return true;
      return await selection
        .click({ button: "right", position: { x: 30, y: 8 }, force: true, timeout: 5000 })
        .then(() => menu.waitFor({ timeout: 5000 }))
        .then(
          () => true,
          () => false,
        );
    });
    await menu.hover();
    const item = this.page.locator(".monaco-submenu .action-item", { hasText: entry }).first();
    await item.waitFor();
    // What is clicked within the first 100 ms of a menu is lost: its timer was set before this one, so it fires before.
    await this.page.evaluate(() => new Promise(done => setTimeout(done, 150)));
    await item.click();
    await item.waitFor({ state: "hidden" });
  }

  /** What a failure is to be understood by: what the editor tells its user, and what extension and server logged. */
  async circumstances(): Promise<string> {
    const told = this.page.locator(".notification-toast:visible, .quick-input-widget:visible, .monaco-menu:visible");
    const shown = await told.allInnerTexts().catch(() => []);
    const requests = await fetch(`${process.env.ANTHROPIC_BASE_URL}/__simulator/account`)
      .then(async answer => ((await answer.json()) as { requests: { status: number; complete: boolean }[] }).requests)
      .then(all => all.map(({ status, complete }) => `${status}${complete ? "" : " (cut)"}`).join(", "))
      .catch(String);
    return [
      ...shown.map(text => `shown: ${text.replace(/\s*\n\s*/g, " | ")}`),
      `status bar: ${await this.status()
        .innerText({ timeout: 1000 })
        .catch(() => "not there")}`,
      `the gate ${gate.isClosed() ? "is closed" : "is open"}${gate.holds() ? " and holds an answer" : ""}`,
      `the API answered: ${requests || "nothing"}`,
      this.log(),
    ].join("\n");
  }

  /** What is shown in the code's lines without being text of theirs. */
  async ghosts(): Promise<string[]> {
    const spans = this.page.locator(".editor-instance .view-line span");
    const contents = await spans.evaluateAll(all => all.map(span => getComputedStyle(span, "::after").content));
    return contents.filter(content => content.startsWith('"')).map(content => JSON.parse(content));
  }

  /** Gives the keys to the code. */
  async focus(): Promise<void> {
    await this.page.keyboard.press("Control+1");
  }

  /** Whether the code has the keys. */
  async hasFocus(): Promise<boolean> {
    return (await this.page.locator(".editor-instance .monaco-editor.focused").count()) > 0;
  }

  /** Brings an open file to the front. */
  async front(file: string): Promise<void> {
    await this.page.locator(`.tab[data-resource-name="${file}"]`).first().click();
    await this.page.locator(`.tab.active[data-resource-name="${file}"]`).waitFor();
    await this.focus();
  }

  /** Sets something that only the user may set, as its page of settings would. */
  set(settings: Record<string, unknown>): void {
    const file = path.join(this.#data, "Machine", "settings.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...settings }));
  }

  /** What is in the clipboard. */
  async clipboard(): Promise<string> {
    return await this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** What was asked for anywhere but from the editor's own server. */
  foreign(): string[] {
    return this.#foreign;
  }

  /** The page of explanations, when it is there. */
  async preview(): Promise<Frame> {
    return await this.frame("the page of explanations", "main #tail");
  }

  /** A page that has such an element, when it is there. */
  async frame(what: string, selector: string): Promise<Frame> {
    let found: Frame | undefined;
    await until(`${what} is there`, async () => {
      for (const frame of this.page.frames().filter(frame => frame !== this.page.mainFrame())) {
        const count = await frame
          .locator(selector)
          .count()
          .catch(() => 0);
        if (count > 0) found = frame;
      }
      return found !== undefined;
    });
    if (found === undefined) throw new Error(`${what} is not there`);
    return found;
  }

  /** The text in the status bar. */
  status(): Locator {
    return this.page.locator('.statusbar-item[id="aside.aside.aside.status"]');
  }

  /** Saves a file, and waits until it is on the disk. */
  async saved(file: string): Promise<void> {
    await this.front(file);
    await this.page.keyboard.press("Control+S");
    await this.page.locator(`.tab.active:not(.dirty)[data-resource-name="${file}"]`).waitFor();
    // It is emptied before it is written, also when nothing was to be saved.
    await until("the file is written", () => onDisk(file) !== "");
  }

  /** Keeps a picture. */
  async capture(name: string): Promise<void> {
    await this.page.screenshot({ path: path.join(room.captures, `vscode-${name}.png`) });
  }

  /** What the extension logged, or another one. */
  log(name = "Aside"): string {
    const find = (folder: string): string[] =>
      readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
        const file = path.join(folder, entry.name);
        return entry.isDirectory() ? find(file) : entry.name === `${name}.log` ? [file] : [];
      });
    const logs = path.join(this.#data, "logs");
    return existsSync(logs)
      ? find(logs)
          .sort()
          .map(file => readFileSync(file, "utf8"))
          .join("")
      : "";
  }

  /** Whether a text stands in any file of the editor's. */
  async isWrittenDown(text: string): Promise<boolean> {
    const within = (folder: string): boolean =>
      readdirSync(folder, { withFileTypes: true }).some(entry => {
        const file = path.join(folder, entry.name);
        if (entry.isDirectory()) return within(file);
        return entry.isFile() && readFileSync(file).includes(text);
      });
    return within(this.#data);
  }

  /** How often the server was started. */
  starts(): number {
    return (this.log().match(/Serving \d+ ms/g) ?? []).length;
  }

  async close(): Promise<void> {
    await this.#context.close();
    await this.#browser.close();
    const ended = new Promise(resolve => this.#server.once("exit", resolve));
    this.#server.kill("SIGTERM");
    await ended;
  }
}
