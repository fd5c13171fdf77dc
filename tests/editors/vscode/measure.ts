// How soon actions are offered, and how smoothly an answer streams in. Run by hand:
//   tests/editors/vscode/run FOLDER_OF_ASIDE measure
import { Editor, playing, until } from "./editor.ts";

const FILE = "inventory.py";
const STARTS = 9;
const TOKENS_PER_SECOND = 200;

/**
 * Milliseconds from the extension's activation until the server served, and until the first question for actions was
 * answered, in a window that is opened again and again, as a user's is.
 */
export async function coldStarts(): Promise<void> {
  const editor = await Editor.start({ file: FILE, environment: { ASIDE_LOG: "warn" } });
  const logged = (what: string) =>
    [...editor.log().matchAll(new RegExp(`${what} (\\d+) ms`, "g"))].map(([, ms]) => Number(ms));
  await until("actions are offered", () => logged("Offering actions").length > 0);
  for (let index = 2; index <= STARTS + 1; index += 1) {
    // What is open is written down a while after it was opened; without that the new window is empty.
    await editor.page.waitForTimeout(2000);
    await editor.page.reload();
    await until("actions are offered again", () => logged("Offering actions").length >= index);
  }
  for (const what of ["Serving", "Offering actions"]) {
    // The first time nothing is known of the window's user yet.
    const [first, ...times] = logged(what);
    times.sort((a, b) => a - b);
    console.log(
      `${what}, ms: ${times.join(", ")} (median ${times[Math.floor(times.length / 2)]}); the first time ${first}`,
    );
  }
  await editor.close();
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
