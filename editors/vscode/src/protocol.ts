// Aside's own methods, as docs/protocol.md tells of them.
import type { Diagnostic, Range, WorkspaceEdit } from "vscode-languageserver-protocol";

export const EXPLANATION_SCHEME = "aside-explain";

/** What a request, a session or a day took. Unknown costs are `null`. */
export interface Totals {
  requests: number;
  inputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  outputTokens: number;
  cacheHitRate: number | null;
  costUsd: number | null;
  savedUsd: number | null;
}

export type Usage = Omit<Totals, "requests"> & { model?: string; partial?: boolean };

export interface Failure {
  kind: string;
  message: string;
  hint?: string;
}

/** One part of a running job's output, in order. */
export interface StreamPart {
  job: string;
  kind: "begin" | "text" | "thinking" | "tool" | "edit" | "usage" | "end";
  title?: string;
  action?: string;
  result?: string;
  uri?: string;
  range?: Range;
  text?: string;
  usage?: Usage;
  outcome?: string;
  error?: Failure;
}

/** The argument of `aside.run`. */
export interface RunArgument {
  action: string;
  uri: string;
  range: Range;
  version?: number;
  prompt?: string;
  diagnostics?: Diagnostic[];
}

/** What runs and what was used. */
export interface Status {
  running: { job: string; title: string }[];
  session: Totals;
  day: Totals;
  simulated: boolean;
}

/** An edit that waits for the user's word. */
export interface Proposal {
  job: string;
  edit: WorkspaceEdit;
  diff: string;
}
