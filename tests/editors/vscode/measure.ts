// How soon actions are offered, and how smoothly an answer streams in. Run by hand:
//   tests/editors/vscode/run FOLDER_OF_ASIDE measure
// Times are those since the extension was activated, and what its code took to load.
import { Editor, playing, until } from "./editor.ts";

const FILE = "inventory.py";
const STARTS = 9;
const FIRST_STARTS = 7;
const TOKENS_PER_SECOND = 200;

const QUIET = { ASIDE_LOG: "warn" };

/** What an extension logged of its starts: milliseconds until something. */
function logged(editor: Editor, what: string, name?: string): number[] {
  return [...editor.log(name).matchAll(new RegExp(`${what} (\\d+) ms`, "g"))].map(([, ms]) => Number(ms));
}

function report(name: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  console.log(`${name}, ms: ${sorted.join(", ")} (median ${sorted[Math.floor(sorted.length / 2)]})`);
}

/**
 * The very first starts of users who have never had the editor: with Aside, until its server serves and until its actions
 * are offered; and with an extension that does nothing, until it is asked for actions.
 */
export async function firstStarts(): Promise<void> {
  const times: Record<string, number[]> = {};
  const take = (name: string, more: number[]) => {
    times[name] = [...(times[name] ?? []), ...more];
  };
  for (let index = 0; index < FIRST_STARTS; index += 1) {
    const editor = await Editor.start({ file: FILE, environment: QUIET, isNew: true });
    await until("actions are offered", () => logged(editor, "Offering actions").length > 0);
    take("First start, serving", logged(editor, "Serving"));
    take("First start, offering actions", logged(editor, "Offering actions"));
    await editor.close();
    const bare = await Editor.start({ file: FILE, isNew: true, isBare: true });
    await until("it is asked for actions", () => logged(bare, "Asked for actions", "Bare").length > 0);
    take("First start of an extension that does nothing, asked for actions", logged(bare, "Asked for actions", "Bare"));
    await bare.close();
  }
  for (const [name, all] of Object.entries(times)) report(name, all);
}

/** The starts in a window that is opened again and again, as a user's is; without a stored key, and with one. */
export async function coldStarts(): Promise<void> {
  for (const withKey of [false, true]) {
    const editor = await Editor.start({ file: FILE, environment: QUIET });
    await until("actions are offered", () => logged(editor, "Offering actions").length > 0);
    if (withKey) {
      await editor.command("Aside: Set API Key");
      await editor.page.locator(".quick-input-widget input").first().fill("sk-ant-simulated");
      await editor.page.keyboard.press("Enter");
      await until("the server starts with the key", () => editor.starts() > 1);
    }
    const [serving, offering, keyed]: [number[], number[], number[]] = [[], [], []];
    for (let index = 1; index <= STARTS; index += 1) {
      const [served, offered] = [logged(editor, "Serving").length, logged(editor, "Offering actions").length];
      // What is open is written down a while after it was opened.
      await editor.page.waitForTimeout(2000);
      await editor.page.reload();
      await until("the server serves again", () => logged(editor, "Serving").length > served);
      const tab = editor.page.locator(`.tab.active[data-resource-name="${FILE}"]`);
      // Else the new window is empty, and what is measured would be how fast a file is opened by hand.
      const isThere = await tab.waitFor({ timeout: 5000 }).then(
        () => true,
        () => false,
      );
      if (!isThere) await editor.open(FILE);
      await until("actions are offered again", () => logged(editor, "Offering actions").length > offered);
      if (withKey) await until("the key is there", () => logged(editor, "Serving").length > served + 1);
      const [soon, later] = logged(editor, "Serving").slice(served);
      serving.push(soon ?? Number.NaN);
      if (later !== undefined) keyed.push(later);
      if (isThere) offering.push(...logged(editor, "Offering actions").slice(offered));
    }
    const name = withKey ? "Opened again with a stored key" : "Opened again";
    report(`${name}, serving`, serving);
    report(`${name}, offering actions`, offering);
    if (withKey) report(`${name}, serving with the key`, keyed);
    await editor.close();
  }
}

/** Frames of the page of explanations while nothing comes, and while a long answer does. */
export async function frames(): Promise<void> {
  const paragraph =
    "The function `reserve` walks over the *lines* of an order, one after the other, and asks what is **free** of each.\n\n" +
    "- first it looks, then it takes\n- `partial` decides what happens when there is too little\n\n" +
    "```python\nfor sku, wanted in order.items():\n    free = self.available(sku)\n    granted[sku] = min(wanted, free)\n```\n\n";
  const step = {
    times: "always",
    match: { action: "explain" },
    answer: `## What it does\n\n${paragraph.repeat(25)}The end of it.`,
    stream: { tokens_per_second: TOKENS_PER_SECOND },
  };
  const api = await playing({ step: [step] });
  const editor = await Editor.start({ file: FILE, environment: api.environment });
  await editor.goTo(58);
  await editor.page.keyboard.press("Alt+A");
  await editor.page.keyboard.press("e");
  const page = await editor.preview();
  await page.locator("#body p").first().waitFor();
  const streaming = await page.evaluate(record, "running");
  const idle = await page.evaluate(record, "3000");
  console.log(`streaming: ${JSON.stringify(streaming)}`);
  console.log(`idle:      ${JSON.stringify(idle)}`);
  await editor.close();
  api.end();
}

/** Frames until the page runs no more, or for so many milliseconds. Runs in the page. */
async function record(during: string): Promise<object> {
  const began = performance.now();
  const goesOn = () =>
    during === "running" ? document.body.dataset.running === "true" : performance.now() - began < Number(during);
  const times: number[] = [];
  const text = document.body.innerText.length;
  while (goesOn()) times.push(await new Promise(requestAnimationFrame));
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const seconds = gaps.reduce((sum, gap) => sum + gap, 0) / 1000;
  gaps.sort((a, b) => a - b);
  const at = (share: number) => Number((gaps[Math.floor(gaps.length * share)] ?? 0).toFixed(1));
  return {
    seconds: Number(seconds.toFixed(1)),
    framesPerSecond: Number((gaps.length / seconds).toFixed(1)),
    gapMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(0.9999) },
    lateFrames: gaps.filter(gap => gap > 25).length,
    characters: document.body.innerText.length - text,
  };
}
