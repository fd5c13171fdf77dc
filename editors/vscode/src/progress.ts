// The progress of jobs that change files, with its newest line and a button that cancels it. Explanations show theirs
// where they grow.
import * as vscode from "vscode";

/** So long it is not said what a job does before its progress is shown all the same: it waits for its turn. */
const PATIENCE = 500;

interface Value {
  kind: string;
  title?: string;
  message?: string;
}

interface Running {
  title: string;
  message: string | undefined;
  timer: NodeJS.Timeout | undefined;
  shown: { report: (message: string) => void; done: () => void } | undefined;
}

/** Progress notifications by job. */
export class Progress {
  readonly #running = new Map<string, Running>();
  readonly #cancel: (job: string) => void;

  constructor(cancel: (job: string) => void) {
    this.#cancel = cancel;
  }

  /** Takes in what the server reports of a job. */
  take(job: string, { kind, title, message }: Value): void {
    if (kind === "end") this.end(job);
    if (kind === "begin") {
      const timer = setTimeout(() => this.show(job), PATIENCE);
      this.#running.set(job, { title: title ?? "Aside", message, timer, shown: undefined });
      return;
    }
    const running = this.#running.get(job);
    if (running === undefined) return;
    running.message = message;
    if (message !== undefined) running.shown?.report(message);
  }

  /** Shows the progress of a job, if it has begun. */
  show(job: string): void {
    const running = this.#running.get(job);
    if (running === undefined || running.shown !== undefined) return;
    clearTimeout(running.timer);
    const { title } = running;
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    void vscode.window.withProgress(options, (progress, token) => {
      token.onCancellationRequested(() => this.#cancel(job));
      return new Promise<void>(done => {
        running.shown = { report: message => progress.report({ message }), done };
        if (running.message !== undefined) progress.report({ message: running.message });
        // It may have ended before it was on the screen.
        if (this.#running.get(job) !== running) done();
      });
    });
  }

  /** A job has ended, or is shown elsewhere. */
  end(job: string): void {
    const running = this.#running.get(job);
    this.#running.delete(job);
    clearTimeout(running?.timer);
    running?.shown?.done();
  }

  /** The server is gone. */
  clear(): void {
    for (const job of [...this.#running.keys()]) this.end(job);
  }
}
