// Where explained code stands while its document changes.

/** A change of a document, in lines, from 0. */
export interface LineChange {
  start: number;
  end: number;
  /** How many line breaks the new text has. */
  breaks: number;
}

/** Where a line is after changes, which are in the order in which VS Code tells them: from the end to the beginning. */
export function shifted(line: number, changes: readonly LineChange[]): number {
  let shift = 0;
  for (const { start, end, breaks } of changes) {
    if (end <= line && start < line) shift += breaks - (end - start);
    else if (start < line) shift -= line - start;
  }
  return Math.max(0, line + shift);
}
