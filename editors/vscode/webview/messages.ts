// What the extension and its page say to each other.

/** What the page shows. */
export interface Shown {
  id: string;
  title: string;
  /** Markdown. */
  text: string;
  /** One line below: what is waited for; tokens, cost, how it ended. */
  note: string;
  running: boolean;
  failed: boolean;
  /** The text is a whole document with a heading and a last line of its own. */
  whole: boolean;
  /** What the model lets be seen of its thinking, as Markdown. */
  thinking: string;
  /** What the model looked at, a line each. */
  looks: string[];
  /** There is an answer to be copied. */
  hasAnswer: boolean;
  followUp: boolean;
  /** The end is what is looked at: an answer is about to come there. */
  atEnd: boolean;
  /** Which of how many, from 1. */
  index: number;
  count: number;
}

export type ToPage =
  | { type: "show"; shown: Shown }
  | { type: "append"; id: string; text: string; thinking: string }
  | { type: "note"; id: string; note: string };

export type FromPage =
  | { type: "ready" }
  | { type: "link"; href: string }
  | { type: "do"; what: "copy" | "insert" | "followUp" | "stop" | "older" | "newer"; id: string };
