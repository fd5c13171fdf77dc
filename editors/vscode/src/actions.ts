// The actions that have a command. Which of them there are, the server says; a command of another is not shown.

/** An action of the server's with a command of its own. */
export interface ActionCommand {
  /** The action's id. */
  id: string;
  /** The command behind `aside.`, and behind `aside.can.` the context key that says whether there is such an action. */
  command: string;
  /** Its code action kind, by which the server announces it. */
  kind: string;
}

export const ACTIONS: readonly ActionCommand[] = [
  { id: "explain", command: "explain", kind: "refactor.aside.explain" },
  { id: "ask", command: "ask", kind: "refactor.aside.ask" },
  { id: "review", command: "review", kind: "refactor.aside.review" },
  { id: "add-type-hints", command: "addTypeHints", kind: "refactor.rewrite.aside.typeHints" },
  { id: "document", command: "document", kind: "refactor.rewrite.aside.document" },
  { id: "simplify", command: "simplify", kind: "refactor.rewrite.aside.simplify" },
  { id: "implement", command: "implement", kind: "refactor.rewrite.aside.implement" },
  { id: "fix", command: "fix", kind: "quickfix.aside.fix" },
  { id: "describe-image", command: "describeImage", kind: "refactor.aside.image" },
  { id: "write-tests", command: "writeTests", kind: "refactor.aside.tests" },
];

/** What the user is asked for before an action can be run; `undefined` where it needs no words. */
export function questionOf({ action, diagnostics }: { action: string; diagnostics?: unknown[] }): string | undefined {
  if (action === "ask") return "What do you want to know or have changed?";
  // Where nobody complains the user does.
  if (action === "fix" && !diagnostics?.length) return "What is wrong there?";
  return undefined;
}

/** The actions among those that a server with these kinds has. */
export function available(kinds: readonly string[]): ActionCommand[] {
  return ACTIONS.filter(action => kinds.includes(action.kind));
}
