// An explanation as a comment above the code it explains.

/** How a language writes comments: a line's beginning, or what stands before and behind a block. */
export interface CommentStyle {
  line?: string;
  block?: readonly [string, string];
}

/** Where VS Code knows nothing of a language. */
const FALLBACK: CommentStyle = { line: "#" };

/** The columns that a comment fills, the indentation included. */
const WIDTH = 100;

/** Reads the `comments` of a language configuration, whose line comment may be a string or an object. */
export function commentStyle(comments: unknown): CommentStyle | undefined {
  if (typeof comments !== "object" || comments === null) return undefined;
  const { lineComment, blockComment } = comments as Record<string, unknown>;
  const named =
    typeof lineComment === "object" && lineComment !== null
      ? (lineComment as Record<string, unknown>).comment
      : lineComment;
  const style: CommentStyle = {};
  if (typeof named === "string" && named !== "") style.line = named;
  if (Array.isArray(blockComment) && typeof blockComment[0] === "string" && typeof blockComment[1] === "string") {
    style.block = [blockComment[0], blockComment[1]];
  }
  return style.line || style.block ? style : undefined;
}

/** Markdown as a comment, line by line, ending with a line break. */
export function comment(markdown: string, style: CommentStyle | undefined, indent: string): string {
  const { line, block } = style ?? FALLBACK;
  const room = Math.max(WIDTH - indent.length - (line?.length ?? 0) - 1, 40);
  const text = wrapped(markdown, room);
  if (line !== undefined) return text.map(words => `${indent}${`${line} ${words}`.trimEnd()}\n`).join("");
  const [open, close] = block ?? ["/*", "*/"];
  // What would end the comment early.
  const safe = text.map(words => words.replaceAll(close, close.split("").join(" ")));
  return [`${indent}${open}`, ...safe.map(words => `${indent}${words}`.trimEnd()), `${indent}${close}`, ""].join("\n");
}

/** Markdown's lines at a width: prose is broken between words, code stays as it is. */
function wrapped(markdown: string, room: number): string[] {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.trim().split(/\r?\n/)) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark && (fence === undefined || mark.startsWith(fence))) fence = fence === undefined ? mark : undefined;
    if (fence !== undefined || mark || line.length <= room || /^\s*\|/.test(line)) {
      lines.push(line.trimEnd());
      continue;
    }
    // A list's further lines stand below its words.
    const lead = /^\s*(?:[-*+]|\d+[.)])?\s*/.exec(line)?.[0] ?? "";
    const hang = " ".repeat(lead.length);
    let current = lead;
    for (const word of line.slice(lead.length).split(/\s+/)) {
      const begun = current !== lead && current !== hang;
      if (begun && current.length + 1 + word.length > room) {
        lines.push(current);
        current = hang + word;
      } else {
        current += begun ? ` ${word}` : word;
      }
    }
    lines.push(current.trimEnd());
  }
  return lines;
}
