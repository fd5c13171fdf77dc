// The server's log lines in the editor's log, each at the level that the server gave it.

const LEVELS = { TRACE: "trace", DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" } as const;

/** A log with a way to write for each level, as VS Code's are. */
export type Log = Record<(typeof LEVELS)[keyof typeof LEVELS], (message: string) => void>;

/** Takes the lines of the server's standard error, one after the other. The log has times of its own. */
export function passedOn(log: Log): (line: string) => void {
  // What a program says there before its log begins is why it can't go on.
  let level: keyof Log = "error";
  return line => {
    const [, word, text] = /^\d{4}-\d\d-\d\dT\S+Z +(TRACE|DEBUG|INFO|WARN|ERROR) (.*)$/.exec(line) ?? [];
    if (word !== undefined) level = LEVELS[word as keyof typeof LEVELS];
    // It comes without a level, and everything else that does is a further line of what came before.
    else if (/^thread .* panicked/.test(line)) level = "error";
    log[level](text ?? line);
  };
}
