// Explanations beside the code: while they are written, and again later.
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { FromPage, Shown, ToPage } from "../webview/messages.ts";
import { Entry } from "./entry.ts";
import type { Job } from "./jobs.ts";
import { EXPLANATION_SCHEME } from "./protocol.ts";

const VIEW = "aside.preview";

/** So many explanations can be leafed through; older ones can still be opened. */
const MOST = 50;

/** What the page may be asked to do that is not its own business. */
export interface PreviewHost {
  /** The document of an explanation, as Markdown. */
  read(id: string): Promise<string>;
  canFollowUp(): boolean;
  followUp(id: string, question: string): Promise<void>;
  stop(job: string): Promise<unknown>;
  /** Puts the text as a comment above the code of an explanation, if that is known, else at the cursor. */
  insert(id: string, markdown: string): Promise<void>;
}

export class Preview implements vscode.Disposable {
  readonly #host: PreviewHost;
  readonly #extension: vscode.Uri;
  readonly #entries: Entry[] = [];
  readonly #disposables: vscode.Disposable[] = [];
  /** What was asked and is not being answered yet, by the id of what the answer will stand in. */
  readonly #questions = new Map<string, string>();
  #current: Entry | undefined;
  #panel: vscode.WebviewPanel | undefined;
  /** Text that is on its way to the page, so that it gets one message a frame and not one a word. */
  #due = { text: "", thinking: "" };
  #timer: NodeJS.Timeout | undefined;

  constructor(extension: vscode.Uri, host: PreviewHost) {
    this.#extension = extension;
    this.#host = host;
    this.#disposables.push(
      vscode.window.registerWebviewPanelSerializer(VIEW, {
        deserializeWebviewPanel: async (panel, state: { id?: string } | undefined) => {
          this.#adopt(panel);
          if (state?.id && !this.#current) await this.open(state.id);
        },
      }),
    );
  }

  /** An answer begins, or begins anew: an explanation's, or that to a question about one. */
  begin(job: Job): void {
    const about = conversation(job);
    const entry = this.#find(about) ?? this.#add(about);
    entry.begin(job, this.#questions.get(about) ?? (about === job.id ? undefined : ""));
    this.#questions.delete(about);
    this.#select(entry, about !== job.id);
    this.reveal();
  }

  /** What a job was asked, which may have begun already. */
  asked(job: string, question: string): void {
    const entry = this.#of(job);
    if (entry === undefined) this.#questions.set(job, question);
    entry?.ask(question);
    if (entry && entry === this.#current) this.#send();
  }

  /** More of an answer has come. */
  append(job: Job, text: string): void {
    const entry = this.#of(job.id);
    if (entry === undefined) return;
    const isFirst = !entry.begun;
    entry.append(text);
    if (entry !== this.#current) return;
    if (isFirst) this.#send();
    else this.#later("text", text);
  }

  /** More of what the model lets be seen of its thinking. */
  think(job: Job, text: string): void {
    const entry = this.#of(job.id);
    if (entry === undefined) return;
    entry.thinking += text;
    if (entry === this.#current) this.#later("thinking", text);
  }

  /** The model looks at something for its answer. */
  look(job: Job, line: string): void {
    const entry = this.#of(job.id);
    entry?.looks.push(line);
    if (entry === this.#current) this.#send();
  }

  /** How a job goes, as long as there is nothing to read. */
  say(job: string, message: string): void {
    const entry = this.#of(job);
    if (entry?.say(message) && entry === this.#current) this.#post({ type: "note", id: entry.id, note: entry.note });
  }

  /** An answer became a change of the code. */
  turnsToEdit(job: Job): void {
    const entry = this.#of(job.id);
    entry?.turnsToEdit();
    if (entry === this.#current) this.#send();
  }

  /** An answer has ended, well or not. */
  async end(job: Job): Promise<void> {
    const entry = this.#of(job.id);
    if (entry === undefined) return;
    entry.end(job);
    if (entry === this.#current) this.#send();
    // An explanation the server asks to show; of what was asked about one it only says that there is more of it.
    if (entry.id === job.id || job.outcome !== "shown") return;
    entry.read(await this.#host.read(entry.id));
    if (entry === this.#current) this.#send();
  }

  /** Shows the document of an explanation of this or an earlier session; whether there is one. */
  async open(id: string): Promise<boolean> {
    const text = await this.#host.read(id);
    const entry = this.#find(id) ?? this.#add(id);
    // Something may have been asked about it already.
    if (!entry.running) entry.read(text);
    // What is being written is not pushed aside by what ended meanwhile.
    if (!this.#current?.running || this.#current === entry) this.#select(entry);
    else this.#send();
    this.reveal();
    return true;
  }

  /** Asks the user for a question about the explanation that is shown, and has it answered. */
  async followUp(): Promise<void> {
    const entry = this.#current;
    if (entry === undefined || entry.running || !this.#host.canFollowUp()) return;
    const prompt = "What else do you want to know?";
    const question = (await vscode.window.showInputBox({ title: plain(entry.title), prompt }))?.trim();
    if (!question) return;
    this.#questions.set(entry.id, question);
    await this.#host.followUp(entry.id, question);
  }

  /** Brings the page into view, without taking the keys from whoever types. */
  reveal(): void {
    if (this.#panel) {
      this.#panel.reveal(undefined, true);
      return;
    }
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    this.#adopt(vscode.window.createWebviewPanel(VIEW, "Aside", column, { enableFindWidget: true }));
  }

  /** The server is gone: nothing that runs will go on. */
  interrupt(): void {
    for (const entry of this.#entries.filter(entry => entry.running)) entry.interrupt();
    this.#send();
  }

  #find(id: string): Entry | undefined {
    return this.#entries.find(entry => entry.id === id);
  }

  /** The entry that a job writes into. */
  #of(job: string): Entry | undefined {
    return this.#entries.find(entry => entry.job === job);
  }

  #add(id: string): Entry {
    const entry = new Entry(id);
    this.#entries.push(entry);
    if (this.#entries.length > MOST) this.#entries.shift();
    return entry;
  }

  #select(entry: Entry, atEnd = false): void {
    this.#current = entry;
    void vscode.commands.executeCommand("setContext", "aside.explained", true);
    this.#send(atEnd);
  }

  #adopt(panel: vscode.WebviewPanel): void {
    this.#panel = panel;
    const { webview } = panel;
    webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(this.#extension, "dist"), vscode.Uri.joinPath(this.#extension, "media")],
    };
    panel.iconPath = vscode.Uri.joinPath(this.#extension, "media", "tab.svg");
    webview.onDidReceiveMessage((message: FromPage) => void this.#heard(message), undefined, this.#disposables);
    panel.onDidDispose(() => {
      if (this.#panel === panel) this.#panel = undefined;
    });
    webview.html = this.#page(webview);
  }

  #page(webview: vscode.Webview): string {
    const file = (...path: string[]) => webview.asWebviewUri(vscode.Uri.joinPath(this.#extension, ...path)).toString();
    const nonce = randomBytes(16).toString("base64");
    const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
    return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <link rel="stylesheet" href="${file("media", "preview.css")}">
  <title>Aside</title>
</head>
<body>
  <header>
    <button data-do="older" title="Older explanation" aria-label="Older explanation">‹</button>
    <span id="position"></span>
    <button data-do="newer" title="Newer explanation" aria-label="Newer explanation">›</button>
    <span class="space"></span>
    <button data-do="stop">Stop</button>
    <button data-do="followUp">Follow Up…</button>
    <button data-do="copy">Copy</button>
    <button data-do="insert">Insert as Comment</button>
  </header>
  <div id="heading"></div>
  <main aria-live="polite"><div id="body"></div><div id="tail"></div></main>
  <details id="thinking" hidden><summary>What the model thinks</summary><div></div></details>
  <ul id="looks" aria-label="What the model looks at"></ul>
  <p id="note" role="status"></p>
  <script nonce="${nonce}" src="${file("dist", "preview.js")}"></script>
</body>
</html>`;
  }

  async #heard(message: FromPage): Promise<void> {
    if (message.type === "ready") return this.#send();
    if (message.type === "link") return await openLink(message.href);
    const index = this.#entries.findIndex(entry => entry.id === message.id);
    const entry = this.#entries[index];
    if (entry === undefined) return;
    switch (message.what) {
      case "copy":
        await vscode.env.clipboard.writeText(entry.answer);
        vscode.window.setStatusBarMessage("Aside: the explanation is in the clipboard.", 3000);
        break;
      case "insert":
        await this.#host.insert(entry.id, entry.answer);
        break;
      case "followUp":
        await this.followUp();
        break;
      case "stop":
        await this.#host.stop(entry.job);
        break;
      case "older":
      case "newer": {
        const next = this.#entries[index + (message.what === "older" ? -1 : 1)];
        if (next) this.#select(next);
        break;
      }
    }
  }

  /** Shows the whole current explanation; what was on its way is part of it. */
  #send(atEnd = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = { text: "", thinking: "" };
    const entry = this.#current;
    if (entry === undefined || this.#panel === undefined) return;
    const { id, title, text, note, running, failed, whole, thinking, looks } = entry;
    const hasAnswer = entry.answer.trim() !== "";
    const shown: Shown = {
      ...{ id, title, text, note, running, failed, whole, thinking, looks, atEnd, hasAnswer },
      followUp: this.#host.canFollowUp() && (whole || hasAnswer),
      index: this.#entries.indexOf(entry) + 1,
      count: this.#entries.length,
    };
    this.#post({ type: "show", shown });
  }

  #later(what: "text" | "thinking", more: string): void {
    this.#due[what] += more;
    this.#timer ??= setTimeout(() => this.#flush(), 8);
  }

  #flush(): void {
    this.#timer = undefined;
    const due = this.#due;
    this.#due = { text: "", thinking: "" };
    if (this.#current) this.#post({ type: "append", id: this.#current.id, ...due });
  }

  #post(message: ToPage): void {
    void this.#panel?.webview.postMessage(message);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#panel?.dispose();
    vscode.Disposable.from(...this.#disposables).dispose();
  }
}

/** The explanation that a job's answer belongs to: its own, or the one that was asked about. */
function conversation(job: Job): string {
  const uri = job.action === "follow-up" && job.uri ? vscode.Uri.parse(job.uri) : undefined;
  return uri?.scheme === EXPLANATION_SCHEME ? explanationId(uri) : job.id;
}

/** The id of the explanation that a document of the server's shows. */
export function explanationId(uri: vscode.Uri): string {
  return uri.path.replace(/^\//, "").replace(/\.md$/, "");
}

/** The document that shows an explanation. */
export function explanationUri(id: string): vscode.Uri {
  return vscode.Uri.from({ scheme: EXPLANATION_SCHEME, path: `/${id}.md` });
}

/** A title without its Markdown. */
function plain(title: string): string {
  return title.replaceAll("`", "");
}

/** Opens what the user clicked, if it is an address of the web; VS Code asks about places it does not know. */
async function openLink(href: string): Promise<void> {
  let uri: vscode.Uri;
  try {
    uri = vscode.Uri.parse(href, true);
  } catch {
    return;
  }
  if (["http", "https", "mailto"].includes(uri.scheme)) await vscode.env.openExternal(uri);
}
