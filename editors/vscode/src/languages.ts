// How languages write comments, from the language configurations that extensions bring.
import { readFile } from "node:fs/promises";
import { parse } from "jsonc-parser";
import * as vscode from "vscode";
import { type CommentStyle, commentStyle } from "./comment.ts";

interface Contributed {
  id?: string;
  configuration?: string;
}

/** A language's comment style, where any extension tells. */
export async function styleOf(language: string): Promise<CommentStyle | undefined> {
  for (const extension of vscode.extensions.all) {
    const contributes = extension.packageJSON.contributes as { languages?: Contributed[] } | undefined;
    for (const { id, configuration } of contributes?.languages ?? []) {
      if (id !== language || configuration === undefined) continue;
      const file = vscode.Uri.joinPath(extension.extensionUri, configuration);
      try {
        const style = commentStyle(parse(await readFile(file.fsPath, "utf8"))?.comments);
        if (style) return style;
      } catch {
        // Another extension may know the language too.
      }
    }
  }
  return undefined;
}
