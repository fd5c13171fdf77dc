// What can be done with a selection, as the server's menu has it: its own actions, the user's and the workspace's.
import * as vscode from "vscode";
import {
  type CodeActionParams,
  CodeActionRequest,
  CodeActionTriggerKind,
  type Diagnostic,
  type LanguageClient,
} from "vscode-languageclient/node";
import { entries, type MenuEntry } from "./entries.ts";

/** So many complaints go along with an action. */
const MOST_DIAGNOSTICS = 10;

/** Lets the user choose among what can be done with an editor's selection. */
export async function choose(client: LanguageClient, editor: vscode.TextEditor): Promise<MenuEntry | undefined> {
  const { document, selection } = editor;
  const params: CodeActionParams = {
    textDocument: client.code2ProtocolConverter.asTextDocumentIdentifier(document),
    range: client.code2ProtocolConverter.asRange(selection),
    context: {
      diagnostics: await complaints(client, document, selection),
      triggerKind: CodeActionTriggerKind.Invoked,
    },
  };
  const items = entries((await client.sendRequest(CodeActionRequest.type, params)) ?? []);
  if (items.length === 0) {
    void vscode.window.showInformationMessage("Aside: there is nothing to do here.");
    return undefined;
  }
  return await vscode.window.showQuickPick(items, { title: "Aside", placeHolder: "What should be done?" });
}

/** What anybody complains of in the lines of a range: errors and warnings, the worst first. */
export async function complaints(
  client: LanguageClient,
  document: vscode.TextDocument,
  { start, end }: vscode.Range,
): Promise<Diagnostic[]> {
  // Whole lines end at the beginning of the next one.
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  const lines = new vscode.Range(start.line, 0, last, document.lineAt(last).text.length);
  const serious = vscode.languages
    .getDiagnostics(document.uri)
    .filter(({ severity }) => severity <= vscode.DiagnosticSeverity.Warning)
    .filter(({ range }) => lines.intersection(range) !== undefined)
    .sort((a, b) => a.severity - b.severity);
  return await client.code2ProtocolConverter.asDiagnostics(serious.slice(0, MOST_DIAGNOSTICS));
}
