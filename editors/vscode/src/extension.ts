// Aside in VS Code: what the server can't do by itself over the protocol.
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { ACTIONS, questionOf } from "./actions.ts";
import { comment } from "./comment.ts";
import { type Job, Jobs } from "./jobs.ts";
import { styleOf } from "./languages.ts";
import { choose, complaints } from "./menu.ts";
import { type LineChange, shifted } from "./place.ts";
import { explanationId, explanationUri, Preview } from "./preview.ts";
import { Progress } from "./progress.ts";
import { Proposals } from "./proposals.ts";
import type { RunArgument, StreamPart } from "./protocol.ts";
import { KEY, NOT_RUNNING, Server } from "./server.ts";
import { StatusBar } from "./status.ts";
import { UsagePage } from "./usage.ts";

/** When the extension's code began to load, by the clock of `performance`: the bundle's first line. */
declare const asideBegan: number;

/** How long that took, in milliseconds. What is bundled is loaded by now. */
const LOADING = performance.now() - asideBegan;

/** Begins: the server starts in the background, and what it offers appears when it is there. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Aside", { log: true });
  const aside = new Aside(context, log);
  context.subscriptions.push(log, aside);
  aside.begin();
}

/** The parts and how they hang together. */
class Aside implements vscode.Disposable {
  readonly #context: vscode.ExtensionContext;
  readonly #server: Server;
  readonly #jobs = new Jobs();
  readonly #preview: Preview;
  readonly #proposals: Proposals;
  readonly #progress: Progress;
  readonly #status = new StatusBar();
  readonly #usage = new UsagePage();
  /** Where the code of explanations stands: by job, the document and its first line. */
  readonly #places = new Map<string, { uri: string; line: number }>();
  readonly #disposables: vscode.Disposable[];

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel) {
    this.#context = context;
    this.#preview = new Preview(context.extensionUri, {
      read: id => this.#server.read(explanationUri(id)),
      canFollowUp: () => this.#server.has("aside.followUp"),
      followUp: async (id, prompt) => {
        await this.#run("aside.followUp", { uri: explanationUri(id).toString(), prompt });
      },
      stop: async job => await this.#run("aside.cancel", { job }),
      insert: (id, markdown) => this.#insert(id, markdown),
    });
    this.#proposals = new Proposals((job, accept) => this.#run(accept ? "aside.accept" : "aside.reject", { job }));
    this.#progress = new Progress(job => void this.#run("aside.cancel", { job }));
    this.#server = new Server(context, log, LOADING, {
      stream: part => this.#stream(part),
      status: status => void this.#status.show(status),
      proposal: proposal => {
        // It is the user who is waited for now.
        this.#progress.end(proposal.job);
        const client = this.#server.client;
        const title = this.#jobs.get(proposal.job)?.title ?? "Aside";
        if (client) void this.#proposals.propose(client, proposal, title);
      },
      show: uri => this.#preview.open(explanationId(uri)),
      running: is => this.#running(is),
      command: (name, argument) => this.#command(name, argument),
      progress: (job, value) => {
        if (value.kind === "report") this.#preview.say(job, value.message ?? "");
        this.#progress.take(job, value);
        if (value.kind === "begin") this.#placeProgress(job);
      },
    });
    const command = vscode.commands.registerCommand;
    this.#disposables = [
      this.#server,
      this.#preview,
      this.#proposals,
      this.#status,
      this.#usage,
      vscode.workspace.onDidChangeTextDocument(event => this.#follow(event)),
      context.secrets.onDidChange(({ key }) => {
        // In this window or another one.
        if (key === KEY) void this.#server.restart();
      }),
      ...ACTIONS.map(({ id, command: name }) => command(`aside.${name}`, () => this.#act(id))),
      command("aside.choose", () => this.#choose(false)),
      command("aside.runWith", () => this.#choose(true)),
      command("aside.askOn", () => this.#preview.followUp()),
      command("aside.stop", () => this.#run("aside.cancel", {})),
      command("aside.showPreview", () => this.#preview.reveal()),
      command("aside.showUsage", () => this.#showUsage()),
      command("aside.setKey", () => this.#setKey()),
      command("aside.clearKey", () => context.secrets.delete(KEY)),
      command("aside.restart", () => this.#server.restart()),
      command("aside.showLog", () => log.show()),
      command("aside.chooseServer", chooseServer),
      command("aside.trySimulated", trySimulated),
    ];
  }

  begin(): void {
    void this.#server.restart();
  }

  /** The active editor, and the client; a message says which of them is not there. */
  async #here(): Promise<{ editor: vscode.TextEditor; client: LanguageClient } | undefined> {
    const editor = vscode.window.activeTextEditor;
    // Right after the window opened it may still be starting.
    await this.#server.started();
    const client = this.#server.client;
    if (client === undefined) void vscode.window.showErrorMessage(NOT_RUNNING);
    else if (editor === undefined) void vscode.window.showWarningMessage("Aside: open a file first.");
    else return { editor, client };
    return undefined;
  }

  /** Runs an action on the selection of the active editor. */
  async #act(action: string): Promise<void> {
    const here = await this.#here();
    if (here === undefined) return;
    const { document, selection } = here.editor;
    const { uri, version } = here.client.code2ProtocolConverter.asVersionedTextDocumentIdentifier(document);
    const range = here.client.code2ProtocolConverter.asRange(selection);
    const diagnostics = await complaints(here.client, document, selection);
    await this.#command("aside.run", { action, uri, range, version, diagnostics });
  }

  /** Lets the user choose among all that can be done here, and say what should be minded. */
  async #choose(withWords: boolean): Promise<void> {
    const here = await this.#here();
    const chosen = here && (await choose(here.client, here.editor));
    if (chosen === undefined) return;
    const { argument, label } = chosen;
    const question = withWords ? `What should be minded? (${label})` : undefined;
    await this.#command("aside.run", argument, question);
  }

  /** Executes a command of the server's, after asking for words where it needs them. */
  async #command(command: string, argument: unknown, question?: string): Promise<unknown> {
    if (command !== "aside.run" || typeof argument !== "object" || argument === null) {
      return await this.#run(command, argument ?? {});
    }
    const wanted = argument as RunArgument;
    const asked = question ?? questionOf(wanted);
    if (asked === undefined || wanted.prompt) return await this.#run(command, wanted);
    const prompt = (await vscode.window.showInputBox({ title: "Aside", prompt: asked }))?.trim();
    if (!prompt) return undefined;
    // The text may have changed while the words were written.
    const open = vscode.workspace.textDocuments.find(({ uri }) => this.#uri(uri) === wanted.uri);
    const result = await this.#run(command, { ...wanted, ...(open ? { version: open.version } : {}), prompt });
    const job = (result as { job?: string } | undefined)?.job;
    if (job && wanted.action === "ask") this.#preview.asked(job, prompt);
    return result;
  }

  #uri(uri: vscode.Uri): string | undefined {
    return this.#server.client?.code2ProtocolConverter.asUri(uri);
  }

  /** Has the server execute a command; what it refuses is told to the user. */
  async #run(command: string, argument: object): Promise<unknown> {
    try {
      return await this.#server.execute(command, argument);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      void vscode.window.showErrorMessage(reason.startsWith("Aside") ? reason : `Aside: ${reason}`);
      return undefined;
    }
  }

  #stream(part: StreamPart): void {
    const job = this.#jobs.take(part);
    if (part.kind === "begin") this.#placeProgress(job.id);
    if (isRead(job)) this.#explanation(job, part);
    if (part.kind !== "end") return;
    void this.#proposals.withdraw(job.id);
    if (job.error?.kind === "credentials") void this.#offerKey();
  }

  /** An explanation shows its own progress. Stream and progress begin in either order. */
  #placeProgress(id: string): void {
    const job = this.#jobs.get(id);
    if (job && isRead(job)) this.#progress.end(id);
    else if (job) this.#progress.show(id);
  }

  #explanation(job: Job, part: StreamPart): void {
    switch (part.kind) {
      case "begin":
        if (job.uri && job.range && job.action !== "follow-up")
          this.#places.set(job.id, { uri: job.uri, line: job.range.start.line });
        this.#preview.begin(job);
        break;
      case "text":
        this.#preview.append(job, part.text ?? "");
        break;
      case "thinking":
        this.#preview.think(job, part.text ?? "");
        break;
      case "tool":
        this.#preview.look(job, part.text ?? "");
        break;
      case "edit":
        this.#preview.turnsToEdit(job);
        break;
      case "end":
        void this.#preview.end(job);
        break;
      case "usage":
        break;
    }
  }

  /** Code above explained code came or went. */
  #follow({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const client = this.#server.client;
    if (client === undefined || this.#places.size === 0) return;
    const uri = client.code2ProtocolConverter.asUri(document.uri);
    const changes: LineChange[] = contentChanges.map(({ range, text }) => ({
      start: range.start.line,
      end: range.end.line,
      breaks: text.split("\n").length - 1,
    }));
    for (const place of this.#places.values()) {
      if (place.uri === uri) place.line = shifted(place.line, changes);
    }
  }

  /** Puts an explanation as a comment above its code; when that is not known, above the cursor. */
  async #insert(id: string, markdown: string): Promise<void> {
    const place = this.#places.get(id);
    const client = this.#server.client;
    const uri = place && client ? client.protocol2CodeConverter.asUri(place.uri) : undefined;
    const editor = uri
      ? await vscode.window.showTextDocument(uri, { viewColumn: columnOf(uri) })
      : (vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0]);
    if (editor === undefined) {
      void vscode.window.showWarningMessage("Aside: open the file that the comment belongs into first.");
      return;
    }
    const { document, selection } = editor;
    const line = document.lineAt(Math.min(place?.line ?? selection.start.line, document.lineCount - 1));
    const indent = line.text.slice(0, line.firstNonWhitespaceCharacterIndex);
    const text = comment(markdown, await styleOf(document.languageId), indent);
    await editor.edit(edit => edit.insert(line.range.start, text));
    editor.revealRange(new vscode.Range(line.range.start, line.range.start));
  }

  async #running(is: boolean): Promise<void> {
    const set = (key: string, value: boolean) => vscode.commands.executeCommand("setContext", key, value);
    const actions = is ? this.#server.actions : [];
    await Promise.all([
      set("aside.ready", is),
      ...ACTIONS.map(action => set(`aside.can.${action.command}`, actions.includes(action))),
    ]);
    // What today cost until now the server says by itself.
    if (is) return;
    this.#jobs.clear();
    this.#preview.interrupt();
    this.#progress.clear();
    await Promise.all([this.#proposals.clear(), this.#status.show(undefined)]);
  }

  async #showUsage(): Promise<void> {
    const program = this.#server.program;
    if (program === undefined) return;
    try {
      await this.#usage.show(program, await this.#server.environment());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      void vscode.window.showErrorMessage(`Aside: the usage page could not be made. ${reason}`);
    }
  }

  async #setKey(): Promise<void> {
    const key = await vscode.window.showInputBox({
      title: "Aside: API key",
      prompt: "It is kept in VS Code's secret storage and handed to the server on this machine alone.",
      placeHolder: "sk-ant-…",
      password: true,
      ignoreFocusOut: true,
      validateInput: text => (/\s/.test(text.trim()) ? "A key has no spaces." : undefined),
    });
    // The server starts anew by the storage's event, in every window.
    if (key?.trim()) await this.#context.secrets.store(KEY, key.trim());
  }

  /** An action failed for want of a key. */
  async #offerKey(): Promise<void> {
    const [set, simulate] = ["Set API Key…", "Try Without an Account"];
    const chosen = await vscode.window.showInformationMessage("Aside needs a key to ask Claude.", set, simulate);
    if (chosen === set) await this.#setKey();
    if (chosen === simulate) await trySimulated();
  }

  dispose(): void {
    vscode.Disposable.from(...this.#disposables).dispose();
  }
}

/** Whether a job's answer is text for the page, as far as is known: a question's may still become an edit. */
function isRead({ result, action, uri }: Job): boolean {
  // Asked in an explanation's own file, where the answer is written as well.
  if (action === "follow-up" && uri?.startsWith("file:")) return false;
  return result === "explain" || result === "answer";
}

async function trySimulated(): Promise<void> {
  // The server starts anew by the setting's change.
  const settings = vscode.workspace.getConfiguration("aside.server");
  await settings.update("simulate", true, vscode.ConfigurationTarget.Global);
  const stop = "Ask Claude Instead";
  const message = "Aside answers by rule on this machine now, and every answer says that it is simulated.";
  const chosen = await vscode.window.showInformationMessage(message, stop);
  if (chosen === stop) await settings.update("simulate", undefined, vscode.ConfigurationTarget.Global);
}

async function chooseServer(): Promise<void> {
  const [file] = (await vscode.window.showOpenDialog({ title: "Aside's server program", openLabel: "Use" })) ?? [];
  if (file === undefined) return;
  const settings = vscode.workspace.getConfiguration("aside.server");
  await settings.update("path", file.fsPath, vscode.ConfigurationTarget.Global);
}

/** Where a document is shown, so that it is not opened a second time. */
function columnOf(uri: vscode.Uri): vscode.ViewColumn {
  const shown = vscode.window.visibleTextEditors.find(editor => editor.document.uri.toString() === uri.toString());
  return shown?.viewColumn ?? vscode.ViewColumn.One;
}
