// The server's menu as a list to choose from.
import type { CodeAction, Command } from "vscode-languageserver-protocol";
import type { RunArgument } from "./protocol.ts";

/** Something that can be done with a selection. */
export interface MenuEntry {
  label: string;
  argument: RunArgument;
}

/** The entries of a menu that run an action; the rest of it decides about what runs already. */
export function entries(menu: readonly (Command | CodeAction)[]): MenuEntry[] {
  return menu.flatMap(({ title, command }) => {
    const argument =
      typeof command === "object" && command.command === "aside.run" ? command.arguments?.[0] : undefined;
    if (argument === undefined) return [];
    const words = title.replace(/^Aside: /, "");
    return [{ label: words.charAt(0).toUpperCase() + words.slice(1), argument: argument as RunArgument }];
  });
}
