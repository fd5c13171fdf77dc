// Edits that wait for the user's word: shown in the lines they change, and where these do not suffice in the diff editor.
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { changedParts, fitsInLines, ghost, type Replacement } from "./inline.ts";
import type { Proposal } from "./protocol.ts";

const SCHEME = "aside-proposal";

/** An edit that waits, and how it is shown. */
interface Waiting {
  job: string;
  title: string;
  uri: vscode.Uri;
  edits: vscode.TextEdit[];
  /** Whether the file is there already. */
  exists: boolean;
  /** The text with the edit in it. */
  after: string;
}

export class Proposals implements vscode.Disposable, vscode.CodeLensProvider {
  readonly #waiting = new Map<string, Waiting>();
  readonly #lenses = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#lenses.event;
  readonly #removed = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor("diffEditor.removedTextBackground"),
    textDecoration: "line-through",
    overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.modifiedForeground"),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
  });
  readonly #added = vscode.window.createTextEditorDecorationType({
    overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.modifiedForeground"),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
  });
  readonly #decide: (job: string, accept: boolean) => Promise<unknown>;
  readonly #disposables: vscode.Disposable[];

  constructor(decide: (job: string, accept: boolean) => Promise<unknown>) {
    this.#decide = decide;
    this.#disposables = [
      this.#removed,
      this.#added,
      this.#lenses,
      vscode.languages.registerCodeLensProvider([{ scheme: "file" }, { scheme: "untitled" }], this),
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        provideTextDocumentContent: uri => (uri.query === "before" ? "" : this.#waiting.get(jobOf(uri))?.after),
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => this.#decorate()),
      vscode.window.tabGroups.onDidChangeTabs(() => this.#decorate()),
      vscode.commands.registerCommand("aside.acceptEdit", (what?: unknown) => this.#decided(what, true)),
      vscode.commands.registerCommand("aside.rejectEdit", (what?: unknown) => this.#decided(what, false)),
      vscode.commands.registerCommand("aside.compareEdit", async (what?: unknown) => {
        const waiting = this.#find(what);
        if (waiting) await compare(waiting);
      }),
    ];
  }

  /** Shows an edit and lets it wait. */
  async propose(client: LanguageClient, proposal: Proposal, title: string): Promise<void> {
    const edit = await client.protocol2CodeConverter.asWorkspaceEdit(proposal.edit);
    const [uri, edits] = edit.entries().find(([, edits]) => edits.length > 0) ?? [];
    if (uri === undefined || edits === undefined) return;
    const exists = await vscode.workspace.fs.stat(uri).then(
      () => true,
      () => uri.scheme === "untitled",
    );
    const document = exists ? await vscode.workspace.openTextDocument(uri) : undefined;
    const after = document ? applied(document, edits) : edits.map(edit => edit.newText).join("");
    const waiting = { job: proposal.job, title, uri, edits, exists, after };
    this.#waiting.set(proposal.job, waiting);
    await this.#changed();
    if (document === undefined || !fitsInLines(edits.map(replacement))) {
      await compare(waiting);
      return;
    }
    const visible = vscode.window.visibleTextEditors.find(editor => editor.document === document);
    const editor = visible ?? (await vscode.window.showTextDocument(document, { preserveFocus: true, preview: false }));
    editor.revealRange(first(edits), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    this.#decorate();
  }

  /** A job has ended: what was decided, or withdrawn, is shown no longer. */
  async withdraw(job: string): Promise<void> {
    if (this.#waiting.delete(job))
      await Promise.all([this.#changed(), vscode.window.tabGroups.close(diffTabs(job), true)]);
  }

  /** The server is gone, and nothing waits any more. */
  async clear(): Promise<void> {
    await Promise.all([...this.#waiting.keys()].map(job => this.withdraw(job)));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    return this.#in(document).flatMap(({ job, title, edits }) => {
      const range = first(edits);
      const lens = (title: string, command: string) => new vscode.CodeLens(range, { title, command, arguments: [job] });
      return [
        lens(`$(check) Accept: ${title.replaceAll("`", "")}`, "aside.acceptEdit"),
        lens("$(close) Reject", "aside.rejectEdit"),
        lens("$(diff) Compare", "aside.compareEdit"),
      ];
    });
  }

  #in(document: vscode.TextDocument): Waiting[] {
    return [...this.#waiting.values()].filter(({ uri }) => uri.toString() === document.uri.toString());
  }

  #decorate(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      // The diff editor needs no second difference in its one half.
      const waiting = this.#in(editor.document).filter(({ job }) => diffTabs(job).length === 0);
      const edits = waiting.flatMap(({ edits }) => edits);
      const parts = edits.flatMap(edit => changed(editor.document, edit));
      const removed = parts.map(part => part.range).filter(range => !range.isEmpty);
      const added = parts.flatMap(part => {
        const contentText = ghost(part.newText);
        if (contentText === undefined) return [];
        const backgroundColor = new vscode.ThemeColor("diffEditor.insertedTextBackground");
        const range = new vscode.Range(part.range.end, part.range.end);
        return [{ range, renderOptions: { after: { contentText, backgroundColor } } }];
      });
      editor.setDecorations(this.#removed, removed);
      editor.setDecorations(this.#added, added);
    }
  }

  /** The edit that is meant: by its job, by its diff editor, by its file, or the one that waits the longest. */
  #find(what: unknown): Waiting | undefined {
    if (typeof what === "string") return this.#waiting.get(what);
    const all = [...this.#waiting.values()];
    const uri = what instanceof vscode.Uri ? what : vscode.window.activeTextEditor?.document.uri;
    if (uri?.scheme === SCHEME) return this.#waiting.get(jobOf(uri));
    return all.find(waiting => waiting.uri.toString() === uri?.toString()) ?? all[0];
  }

  async #decided(what: unknown, accept: boolean): Promise<void> {
    const waiting = this.#find(what);
    if (waiting === undefined) return;
    await this.withdraw(waiting.job);
    await this.#decide(waiting.job, accept);
  }

  async #changed(): Promise<void> {
    this.#lenses.fire();
    this.#decorate();
    const set = (key: string, value: unknown) => vscode.commands.executeCommand("setContext", key, value);
    const paths = [...this.#waiting.values()].map(({ uri }) => uri.path);
    await Promise.all([set("aside.proposed", paths.length > 0), set("aside.proposedPaths", paths)]);
  }

  dispose(): void {
    vscode.Disposable.from(...this.#disposables).dispose();
  }
}

/** The diff editor, with what stands there and what is proposed. */
async function compare({ job, title, uri, exists }: Waiting): Promise<void> {
  const proposed = vscode.Uri.from({ scheme: SCHEME, path: `/${job}${uri.path}` });
  const before = exists ? uri : proposed.with({ query: "before" });
  const options: vscode.TextDocumentShowOptions = { preview: false, preserveFocus: true };
  await vscode.commands.executeCommand("vscode.diff", before, proposed, title.replaceAll("`", ""), options);
}

/** The tabs in which a job's edit is compared. */
function diffTabs(job: string): vscode.Tab[] {
  const tabs = vscode.window.tabGroups.all.flatMap(group => group.tabs);
  return tabs.filter(
    ({ input }) =>
      input instanceof vscode.TabInputTextDiff && input.modified.scheme === SCHEME && jobOf(input.modified) === job,
  );
}

function jobOf(uri: vscode.Uri): string {
  return uri.path.split("/")[1] ?? "";
}

function replacement({ range, newText }: vscode.TextEdit): Replacement {
  return { startLine: range.start.line, endLine: range.end.line, newText };
}

/** An edit in parts as small as words, where it is within a line. */
function changed(document: vscode.TextDocument, edit: vscode.TextEdit): vscode.TextEdit[] {
  if (!fitsInLines([replacement(edit)])) return [edit];
  const { start } = edit.range;
  const parts = changedParts(document.getText(edit.range), edit.newText);
  return parts.map(({ start: from, end: to, text }) =>
    vscode.TextEdit.replace(new vscode.Range(start.translate(0, from), start.translate(0, to)), text),
  );
}

/** The place where edits begin. */
function first(edits: readonly vscode.TextEdit[]): vscode.Range {
  return edits.map(edit => edit.range).reduce((a, b) => (b.start.isBefore(a.start) ? b : a));
}

/** A document's text with edits in it, which do not overlap. */
function applied(document: vscode.TextDocument, edits: readonly vscode.TextEdit[]): string {
  let text = document.getText();
  const backwards = [...edits].sort((a, b) => b.range.start.compareTo(a.range.start));
  for (const { range, newText } of backwards) {
    text = text.slice(0, document.offsetAt(range.start)) + newText + text.slice(document.offsetAt(range.end));
  }
  return text;
}
