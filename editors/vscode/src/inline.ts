// A proposed edit as it is shown in the lines it changes.

/** One replacement, by the place's first and last line and the text. */
export interface Replacement {
  startLine: number;
  endLine: number;
  newText: string;
}

/** A part of a line's text that is replaced: from and to in characters, and by what. */
export interface Part {
  start: number;
  end: number;
  text: string;
}

/** Texts of more words than this are shown as replaced in one piece. */
const MOST_WORDS = 300;

/** What stands behind the replaced text, if anything. */
export function ghost(newText: string): string | undefined {
  const [first = "", ...more] = newText.replace(/\r?\n$/, "").split(/\r?\n/);
  if (newText.trim() === "") return undefined;
  const begin = first.trim() === "" ? (more.find(line => line.trim() !== "")?.trim() ?? "") : first;
  return more.length === 0 ? begin : `${begin} … +${more.length} ${more.length === 1 ? "line" : "lines"}`;
}

/** Whether the lines themselves show all of an edit. Else the diff editor is opened as well. */
export function fitsInLines(edits: readonly Replacement[]): boolean {
  return edits.every(({ startLine, endLine, newText }) => startLine === endLine && !/\n./s.test(newText));
}

/** What of one line's text really changes, word by word. */
export function changedParts(before: string, after: string): Part[] {
  const [old, fresh] = [words(before), words(after)];
  if (old.length > MOST_WORDS || fresh.length > MOST_WORDS) return [{ start: 0, end: before.length, text: after }];
  // The longest common subsequence: `common[i][j]` is its length for what follows `old[i]` and `fresh[j]`.
  const common = Array.from({ length: old.length + 1 }, () => new Array<number>(fresh.length + 1).fill(0));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = fresh.length - 1; j >= 0; j -= 1) {
      const row = common[i];
      if (row) row[j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const parts: Part[] = [];
  let [i, j, offset] = [0, 0, 0];
  while (i < old.length || j < fresh.length) {
    const [word, other] = [old[i] ?? "", fresh[j] ?? ""];
    if (i < old.length && j < fresh.length && word === other) {
      offset += word.length;
      i += 1;
      j += 1;
      continue;
    }
    const last = parts.at(-1);
    const part = last?.end === offset ? last : { start: offset, end: offset, text: "" };
    if (part !== last) parts.push(part);
    // What is new comes first, so that it stands where it belongs.
    if (j < fresh.length && (i >= old.length || at(i, j + 1) >= at(i + 1, j))) {
      part.text += other;
      j += 1;
    } else {
      part.end += word.length;
      offset += word.length;
      i += 1;
    }
  }
  return parts;
}

function words(text: string): string[] {
  return text.match(/\w+|\s+|[^\w\s]/gu) ?? [];
}
