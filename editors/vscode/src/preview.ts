// Explanations beside the code: while they are written, and again later.
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { FromPage, Shown, ToPage } from "../webview/messages.ts";
import type { Job } from "./jobs.ts";
import { usageLine } from "./money.ts";
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
  stop(id: string): Promise<void>;
  /** Puts the text as a comment above the code of a job, if that is known, else at the cursor. */
  insert(id: string, markdown: string): Promise<void>;
}

interface Entry {
  id: string;
  title: string;
  text: string;
  note: string;
  running: boolean;
  failed: boolean;
  whole: boolean;
  /** The answer alone, for a comment or the clipboard. */
  answer: string;
}

export class Preview implements vscode.Disposable {
  readonly #host: PreviewHost;
  readonly #extension: vscode.Uri;
  readonly #entries: Entry[] = [];
  readonly #disposables: vscode.Disposable[] = [];
  #current: Entry | undefined;
  #panel: vscode.WebviewPanel | undefined;
  /** Text that is on its way to the page, so that it gets one message a frame and not one a word. */
  #due = "";
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

  /** An explanation begins, or begins anew. */
  begin(job: Job): void {
    const known = this.#entries.find(entry => entry.id === job.id);
    const entry = known ?? this.#add(job.id);
    Object.assign(entry, { title: job.title, text: "", answer: "", note: "Asking…", running: true, failed: false });
    this.#select(entry);
    this.reveal();
  }

  /** More of an explanation has come. */
  append(job: Job, text: string): void {
    const entry = this.#entries.find(entry => entry.id === job.id);
    if (entry === undefined) return;
    if (entry.text === "" && entry === this.#current) {
      entry.note = "";
      this.#send();
    }
    entry.text += text;
    entry.answer += text;
    if (entry !== this.#current) return;
    this.#due += text;
    this.#timer ??= setTimeout(() => this.#flush(), 8);
  }

  /** An explanation has ended, well or not. */
  end(job: Job): void {
    const entry = this.#entries.find(entry => entry.id === job.id);
    if (entry === undefined) return;
    const failure = job.error ? [job.error.message, job.error.hint ?? ""].join(" ").trim() : undefined;
    const cancelled = job.outcome === "cancelled" ? "Cancelled" : undefined;
    const parts = [failure ?? cancelled ?? "", job.usage ? usageLine(job.usage) : ""];
    entry.note = parts.filter(part => part !== "").join(" · ");
    entry.running = false;
    entry.failed = failure !== undefined;
    if (entry === this.#current) this.#send();
  }

  /** Shows the document of an explanation of this or an earlier session; whether there is one. */
  async open(id: string): Promise<boolean> {
    const text = await this.#host.read(id);
    const known = this.#entries.find(entry => entry.id === id);
    const entry = known ?? this.#add(id);
    Object.assign(entry, { text, note: "", running: false, failed: false, whole: true });
    if (entry.answer === "") entry.answer = withoutFrame(text);
    // What is being written is not pushed aside by what ended meanwhile.
    if (!this.#current?.running || this.#current === entry) this.#select(entry);
    else this.#send();
    this.reveal();
    return true;
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
    for (const entry of this.#entries.filter(entry => entry.running)) {
      Object.assign(entry, { running: false, failed: true, note: "The server ended before the answer did." });
    }
    this.#send();
  }

  #add(id: string): Entry {
    const entry = {
      id,
      title: "Aside",
      text: "",
      note: "",
      running: false,
      failed: false,
      whole: false,
      answer: "",
    };
    this.#entries.push(entry);
    if (this.#entries.length > MOST) this.#entries.shift();
    return entry;
  }

  #select(entry: Entry): void {
    this.#current = entry;
    this.#send();
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
  <p id="note"></p>
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
      case "followUp": {
        const question = await vscode.window.showInputBox({
          title: entry.title,
          prompt: "What else do you want to know?",
        });
        if (question?.trim()) await this.#host.followUp(entry.id, question.trim());
        break;
      }
      case "stop":
        await this.#host.stop(entry.id);
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
  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = "";
    const entry = this.#current;
    if (entry === undefined || this.#panel === undefined) return;
    const { answer: _, ...rest } = entry;
    const shown: Shown = {
      ...rest,
      followUp: this.#host.canFollowUp(),
      index: this.#entries.indexOf(entry) + 1,
      count: this.#entries.length,
    };
    this.#post({ type: "show", shown });
  }

  #flush(): void {
    this.#timer = undefined;
    const text = this.#due;
    this.#due = "";
    if (this.#current && text !== "") this.#post({ type: "append", id: this.#current.id, text });
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

/** The id of the explanation that a document of the server's shows. */
export function explanationId(uri: vscode.Uri): string {
  return uri.path.replace(/^\//, "").replace(/\.md$/, "");
}

/** The document that shows an explanation. */
export function explanationUri(id: string): vscode.Uri {
  return vscode.Uri.from({ scheme: EXPLANATION_SCHEME, path: `/${id}.md` });
}

/** A document's answer, without the heading above it and the line below. */
function withoutFrame(document: string): string {
  return document.replace(/^# .*\n+/, "").replace(/\n+---\n+[^\n]*\n*$/, "");
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
