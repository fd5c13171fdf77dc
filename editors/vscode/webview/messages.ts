// What the extension and its page say to each other.

/** What the page shows. */
export interface Shown {
  id: string;
  title: string;
  /** Markdown. */
  text: string;
  /** One line below: tokens, cost, how it ended. */
  note: string;
  running: boolean;
  failed: boolean;
  /** The text is a whole document with a heading and a last line of its own. */
  whole: boolean;
  followUp: boolean;
  /** Which of how many, from 1. */
  index: number;
  count: number;
}

export type ToPage = { type: "show"; shown: Shown } | { type: "append"; id: string; text: string };

export type FromPage =
  | { type: "ready" }
  | { type: "link"; href: string }
  | { type: "do"; what: "copy" | "insert" | "followUp" | "stop" | "older" | "newer"; id: string };
