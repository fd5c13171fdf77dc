// The running jobs, put together from the parts of their streams.
import type { Range } from "vscode-languageserver-protocol";
import type { Failure, StreamPart, Usage } from "./protocol.ts";

/** A job as far as it has come. */
export interface Job {
  id: string;
  title: string;
  action: string;
  /** What the answer becomes: `explain`, `edit`, `tests` or `diagnostics`. */
  result: string;
  /** What it works on. */
  uri: string | undefined;
  range: Range | undefined;
  /** The answer so far. */
  text: string;
  usage: Usage | undefined;
  /** How it ended. */
  outcome: string | undefined;
  error: Failure | undefined;
}

/** Jobs by id, for as long as they run. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Takes a part in; the job as it is then. Its last part takes the job out of the list. */
  take(part: StreamPart): Job {
    const job = this.#jobs.get(part.job) ?? fresh(part.job);
    this.#jobs.set(part.job, job);
    job.usage = part.usage ?? job.usage;
    switch (part.kind) {
      case "begin":
        // What an earlier attempt said is void.
        job.text = "";
        job.title = part.title ?? job.title;
        job.action = part.action ?? job.action;
        job.result = part.result ?? job.result;
        job.uri = part.uri ?? job.uri;
        job.range = part.range ?? job.range;
        break;
      case "text":
        job.text += part.text ?? "";
        break;
      case "end":
        job.outcome = part.outcome;
        job.error = part.error;
        this.#jobs.delete(part.job);
        break;
      case "thinking":
      case "tool":
      case "edit":
      case "usage":
        break;
    }
    return job;
  }

  /** The server is gone, and its jobs with it. */
  clear(): Job[] {
    const lost = [...this.#jobs.values()];
    this.#jobs.clear();
    return lost;
  }
}

function fresh(id: string): Job {
  return {
    id,
    title: "Aside",
    action: "",
    result: "",
    uri: undefined,
    range: undefined,
    text: "",
    usage: undefined,
    outcome: undefined,
    error: undefined,
  };
}
