// The page beside the code: an explanation while it is written, and afterwards.
import { rendered } from "./markdown.ts";
import type { FromPage, Shown, ToPage } from "./messages.ts";
import { settledLength } from "./settled.ts";

declare function acquireVsCodeApi(): { postMessage(message: FromPage): void; setState(state: { id: string }): void };

const vscode = acquireVsCodeApi();
const [heading, body, tail, note, position, looks] = ["heading", "body", "tail", "note", "position", "looks"].map(
  element,
);
const thinking = document.querySelector("details");
const buttons = [...document.querySelectorAll("button")];

let shown: Shown | undefined;
/** The text that is not settled yet, and what came since the last frame. */
let open = "";
let fresh = "";
let thought = "";
let due = false;

window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
  if (data.type === "show") return show(data.shown);
  if (data.id !== shown?.id) return;
  if (data.type === "note") {
    if (note) note.textContent = data.note;
    return;
  }
  fresh += data.text;
  thought += data.thinking;
  if (!due) {
    due = true;
    requestAnimationFrame(grow);
  }
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
  if (thinking && thinking.hidden !== (thought === "")) thinking.hidden = thought === "";
  // What is folded away costs nothing.
  if (thinking?.open) unfold();
}

function unfold(): void {
  thinking?.lastElementChild?.replaceChildren(fragment(rendered(thought)));
}

thinking?.addEventListener("toggle", unfold);

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
  thought = next.thinking;
  grow();
  looks?.replaceChildren(...next.looks.map(item));
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
      ((what === "copy" || what === "insert") && !next.hasAnswer);
  }
  window.scrollTo(0, next.atEnd ? document.body.scrollHeight : same ? scrolled : 0);
}

/** A line, in which names are between backticks. */
function item(line: string): HTMLLIElement {
  const item = document.createElement("li");
  const parts = line.split("`").map((part, index) => {
    const shown = document.createElement(index % 2 === 0 ? "span" : "code");
    shown.textContent = part;
    return shown;
  });
  item.append(...parts);
  return item;
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
