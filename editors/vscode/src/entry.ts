// One explanation of the page: what it shows while an answer is written, and afterwards.
import type { Job } from "./jobs.ts";
import { usageLine } from "./money.ts";

/** An explanation with the questions that were asked about it. */
export class Entry {
  readonly id: string;
  /** The job that wrote or writes the newest answer. */
  job: string;
  title = "Aside";
  /** Markdown: all that is to be read. */
  text = "";
  /** One line below: what is waited for, how it ended. */
  note = "";
  running = false;
  failed = false;
  /** The text is a whole document with a heading and last lines of its own. */
  whole = false;
  /** The newest answer alone, for a comment or the clipboard. */
  answer = "";
  /** What the model lets be seen of its thinking. */
  thinking = "";
  /** What the model looked at for its answer, a line each. */
  looks: string[] = [];
  /** What stands above the answer that is being written. */
  #above = "";
  /** Why the newest answer failed. */
  #why = "";

  constructor(id: string) {
    this.id = id;
    this.job = id;
  }

  /** Whether something was written of the answer that runs. */
  get begun(): boolean {
    return this.answer !== "";
  }

  /** An answer begins, or begins anew. With a question it goes below what was read so far. */
  begin(job: Job, question?: string): void {
    // A question is asked once, however often its answer begins.
    if (!this.running || this.job !== job.id) {
      const parts = question === undefined ? [] : [this.text.trimEnd(), quoted(question)];
      this.#above = parts.map(part => (part === "" ? "" : `${part}\n\n`)).join("");
      this.looks = [];
    }
    this.job = job.id;
    // What is asked about it later does not change what it is about.
    if (this.id === job.id) this.title = job.title;
    this.text = this.#above;
    this.answer = "";
    this.thinking = "";
    this.note = "Asking…";
    this.running = true;
    this.failed = false;
    this.whole &&= this.#above !== "";
  }

  /** The question is known that is being answered. */
  ask(question: string): void {
    if (this.#above !== "") return;
    this.#above = `${quoted(question)}\n\n`;
    this.text = this.#above + this.text;
  }

  /** More of the answer. */
  append(text: string): void {
    if (!this.begun) this.note = "";
    this.text += text;
    this.answer += text;
  }

  /** A line on how it goes; whether it is shown, which it is not while there is text to be read. */
  say(message: string): boolean {
    if (!this.running || this.begun || message === "") return false;
    this.note = message.charAt(0).toUpperCase() + message.slice(1);
    return true;
  }

  /** The answer became a change of the code, which is the place to look at then. */
  turnsToEdit(): void {
    this.text = `${this.#above}The answer is a change of the code.`;
    this.answer = "";
  }

  /** The answer has ended, well or not. */
  end(job: Job): void {
    const failure = job.error ? [job.error.message, job.error.hint ?? ""].join(" ").trim() : undefined;
    const cancelled = job.outcome === "cancelled" ? "Cancelled" : undefined;
    this.#why = failure ?? "";
    const parts = [failure ?? cancelled ?? "", job.usage ? usageLine(job.usage) : ""];
    this.note = parts.filter(part => part !== "").join(" · ");
    this.running = false;
    this.failed = failure !== undefined;
  }

  /** The server is gone. */
  interrupt(): void {
    this.running = false;
    this.failed = true;
    this.#why = "The server ended before the answer did.";
    this.note = this.#why;
  }

  /** Its document was read: all of it, with what it cost. Why an answer is not whole stays below it. */
  read(document: string): void {
    this.text = document;
    this.thinking = "";
    this.looks = [];
    this.running = false;
    this.whole = true;
    this.note = this.failed ? this.#why : "";
    if (this.answer === "") this.answer = newestAnswer(document);
  }
}

/** A question as it stands in a document. */
function quoted(question: string): string {
  const lines = question.trim() === "" ? [] : question.trim().split(/\r?\n/);
  return lines.map(line => `> ${line}`.trimEnd()).join("\n");
}

/** A document's newest answer, without the question above it, and what stands below it about its making. */
export function newestAnswer(document: string): string {
  return document
    .replace(/^# .*\n+/, "")
    .replace(/\n+---\n+[^\n]*\n*$/, "")
    .replace(/^[\s\S]*\n---\n\n[^\n]+\n\n(?=> )/, "")
    .replace(/\n+## What the model thought\n\n(?:>.*(?:\n|$))+$/, "")
    .replace(/^(?:>.*\n)+\n*/, "")
    .trim();
}
