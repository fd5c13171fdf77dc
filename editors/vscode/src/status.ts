// The status bar: what runs, what today cost, how much came from the cache.
import * as vscode from "vscode";
import { statusText, statusTooltip } from "./money.ts";
import type { Status } from "./protocol.ts";

export class StatusBar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  #status: Status | undefined;

  constructor() {
    this.#item = vscode.window.createStatusBarItem("aside.status", vscode.StatusBarAlignment.Right, 90);
    this.#item.name = "Aside";
    this.#item.command = "aside.showUsage";
    this.#draw();
  }

  /** Shows this; nothing is known while no server runs. */
  async show(status: Status | undefined): Promise<void> {
    this.#status = status;
    this.#draw();
    await vscode.commands.executeCommand("setContext", "aside.running", (status?.running.length ?? 0) > 0);
  }

  #draw(): void {
    const stop = (job: string) => `command:aside.cancel?${encodeURIComponent(JSON.stringify([{ job }]))}`;
    const tooltip = new vscode.MarkdownString(statusTooltip(this.#status, stop), true);
    tooltip.isTrusted = { enabledCommands: ["aside.cancel"] };
    this.#item.text = statusText(this.#status);
    this.#item.tooltip = tooltip;
    this.#item.show();
  }

  dispose(): void {
    this.#item.dispose();
  }
}
