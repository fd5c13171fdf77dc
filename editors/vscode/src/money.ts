// Tokens and money in the few words that fit a status bar.
import type { Status, Totals, Usage } from "./protocol.ts";

/** Dollars with the digits that matter; `null` is unknown, never free. */
export function dollars(usd: number | null): string {
  if (usd === null) return "cost unknown";
  const sign = usd < 0 ? "−" : "";
  const amount = Math.abs(usd);
  if (amount === 0) return "$0";
  return `${sign}$${amount < 1 ? amount.toFixed(4) : amount.toFixed(2)}`;
}

/** The share of the prompts that was read from the cache. */
export function share(rate: number | null): string {
  return rate === null ? "" : `${Math.round(rate * 100)}% from cache`;
}

/** 12,345 as everyone reads it. */
export function count(tokens: number): string {
  return tokens.toLocaleString("en-US");
}

/** Tokens in few digits, as the server writes them. */
function short(tokens: number): string {
  if (tokens < 1000) return String(tokens);
  const [amount, unit] = tokens < 1_000_000 ? [tokens / 1000, "k"] : [tokens / 1_000_000, "M"];
  return `${amount.toFixed(1)}${unit}`;
}

/** One line about a job: model, tokens, cache and cost. */
export function usageLine(usage: Usage): string {
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const parts = [
    usage.model ?? "",
    `${short(input)} in`,
    share(usage.cacheHitRate),
    `${short(usage.outputTokens)} out`,
    dollars(usage.costUsd),
  ];
  return parts.filter(part => part !== "").join(" · ");
}

/** The status bar's text. */
export function statusText(status: Status | undefined): string {
  if (status === undefined) return "$(sparkle) Aside";
  const running = status.running.length;
  const parts = [running > 0 ? `$(loading~spin) ${running} running` : "$(sparkle) Aside"];
  if (status.day.requests > 0) {
    parts.push(dollars(status.day.costUsd));
    if (status.day.cacheHitRate !== null) parts.push(`${Math.round(status.day.cacheHitRate * 100)}% cached`);
  }
  return parts.join(" · ");
}

/** The status bar's tooltip, as Markdown. `stop` makes the link that stops a job. */
export function statusTooltip(status: Status | undefined, stop: (job: string) => string): string {
  if (status === undefined) return "Aside";
  const lines = status.running.map(({ job, title }) => `- ${escaped(title)} [$(debug-stop) stop](${stop(job)})`);
  if (lines.length > 0) lines.push("");
  lines.push("| | requests | tokens | from cache | cost | saved |", "|---|--:|--:|--:|--:|--:|");
  lines.push(row("Today", status.day), row("Session", status.session));
  if (status.simulated) lines.push("", "**Simulated**: no model answers, and nothing is paid.");
  return lines.join("\n");
}

function row(name: string, totals: Totals): string {
  const tokens = totals.inputTokens + totals.cacheReadTokens + totals.cacheWriteTokens + totals.outputTokens;
  const rate = totals.cacheHitRate === null ? "–" : `${Math.round(totals.cacheHitRate * 100)}%`;
  const saved = totals.savedUsd === null ? "unknown" : dollars(totals.savedUsd);
  return `| ${name} | ${count(totals.requests)} | ${count(tokens)} | ${rate} | ${dollars(totals.costUsd)} | ${saved} |`;
}

/** Text as Markdown that shows just it. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$]/g, "\\$&").replace(/\s+/g, " ");
}
