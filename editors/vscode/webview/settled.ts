// How much of a growing Markdown text will not change its looks any more.

/**
 * The length of the beginning of `text` that is settled: blocks that whatever comes cannot continue. It ends at a blank
 * line outside of code, in front of a line that begins something new at the margin.
 */
export function settledLength(text: string): number {
  let settled = 0;
  let fence: string | undefined;
  let blank = false;
  let list = false;
  let offset = 0;
  // The last line may still grow: it neither settles what is in front of it nor opens anything.
  const end = text.lastIndexOf("\n") + 1;
  while (offset < end) {
    const next = text.indexOf("\n", offset) + 1;
    const line = text.slice(offset, next).trimEnd();
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
      blank = false;
    } else if (line.trim() === "") {
      blank = true;
    } else {
      const item = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)/.test(line);
      // An item may go on with the list in front of it, and an indented line with anything.
      if (blank && !/^\s/.test(line) && !(item && list)) settled = offset;
      if (blank || item) list = item || (list && /^\s/.test(line));
      if (mark !== undefined) fence = mark;
      blank = false;
    }
    offset = next;
  }
  return settled;
}
