// The usage page: the one that `aside usage --html` writes, shown without scripts.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { guarded } from "./guarded.ts";

const run = promisify(execFile);

/** Shows what was used, as of now. */
export class UsagePage implements vscode.Disposable {
  #panel: vscode.WebviewPanel | undefined;

  async show(program: string, environment: NodeJS.ProcessEnv): Promise<void> {
    const folder = await mkdtemp(path.join(tmpdir(), "aside-"));
    try {
      const file = path.join(folder, "usage.html");
      await run(program, ["usage", "--html", file], { env: environment });
      const page = await readFile(file, "utf8");
      this.#panel ??= this.#open();
      this.#panel.webview.html = guarded(page);
      this.#panel.reveal();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #open(): vscode.WebviewPanel {
    const options = { enableScripts: false, enableFindWidget: true, localResourceRoots: [] };
    const panel = vscode.window.createWebviewPanel("aside.usage", "Aside: Usage", vscode.ViewColumn.Active, options);
    panel.onDidDispose(() => {
      this.#panel = undefined;
    });
    return panel;
  }

  dispose(): void {
    this.#panel?.dispose();
  }
}
