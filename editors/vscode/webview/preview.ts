// The page beside the code: an explanation while it is written, and afterwards.
import { rendered } from "./markdown.ts";
import type { FromPage, Shown, ToPage } from "./messages.ts";
import { settledLength } from "./settled.ts";

declare function acquireVsCodeApi(): { postMessage(message: FromPage): void; setState(state: { id: string }): void };

const vscode = acquireVsCodeApi();
const [heading, body, tail, note, position] = ["heading", "body", "tail", "note", "position"].map(element);
const buttons = [...document.querySelectorAll("button")];

let shown: Shown | undefined;
/** The text that is not settled yet, and what came since the last frame. */
let open = "";
let fresh = "";
let due = false;

window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
  if (data.type === "append") {
    if (data.id !== shown?.id) return;
    fresh += data.text;
    if (!due) {
      due = true;
      requestAnimationFrame(grow);
    }
    return;
  }
  show(data.shown);
});

/** Puts what came since the last frame on the page. Only what may still change is made anew. */
function grow(): void {
  due = false;
  open += fresh;
  fresh = "";
  const settled = settledLength(open);
  if (settled > 0) {
    body?.append(fragment(rendered(open.slice(0, settled))));
    open = open.slice(settled);
  }
  tail?.replaceChildren(fragment(rendered(open)));
}

function show(next: Shown): void {
  const same = next.id === shown?.id;
  const scrolled = window.scrollY;
  shown = next;
  vscode.setState({ id: next.id });
  document.body.dataset.running = String(next.running);
  document.body.dataset.failed = String(next.failed);
  document.body.dataset.whole = String(next.whole);
  if (heading) heading.replaceChildren(fragment(rendered(next.whole ? "" : `# ${next.title}`)));
  body?.replaceChildren();
  open = next.text;
  fresh = "";
  grow();
  if (note) note.textContent = next.note;
  if (position) position.textContent = next.count > 1 ? `${next.index} / ${next.count}` : "";
  for (const button of buttons) {
    const what = button.dataset.do;
    button.hidden =
      (what === "followUp" && (!next.followUp || next.running)) ||
      (what === "stop" && !next.running) ||
      (what === "older" && next.count < 2) ||
      (what === "newer" && next.count < 2);
    button.disabled =
      (what === "older" && next.index <= 1) ||
      (what === "newer" && next.index >= next.count) ||
      ((what === "copy" || what === "insert") && next.text.trim() === "");
  }
  window.scrollTo(0, same ? scrolled : 0);
}

document.addEventListener("click", event => {
  const target = event.target instanceof Element ? event.target : undefined;
  const link = target?.closest("a");
  const button = target?.closest("button");
  if (link) {
    event.preventDefault();
    const href = link.dataset.href;
    if (href) vscode.postMessage({ type: "link", href });
  }
  const what = button?.dataset.do;
  if (what && shown) vscode.postMessage({ type: "do", what, id: shown.id } as FromPage);
});

function fragment(html: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

function element(id: string): HTMLElement | null {
  return document.getElementById(id);
}

vscode.postMessage({ type: "ready" });
