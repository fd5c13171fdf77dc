// The pictures of the extension's README, from a real run:
//   tests/editors/vscode/run FOLDER_OF_ASIDE pictures
import { Editor, gate, until } from "./editor.ts";

const FILE = "inventory.py";
const SIZE = { width: 1100, height: 560 };
// Nothing around the code that a picture does not need.
const QUIET = {
  "breadcrumbs.enabled": false,
  "editor.stickyScroll.enabled": false,
  "workbench.activityBar.location": "hidden",
  "window.commandCenter": false,
  "editor.renderWhitespace": "none",
  "editor.fontSize": 13,
};

/** Takes all pictures into a folder. */
export async function pictures(folder: string): Promise<void> {
  const settings = { ...QUIET, "aside.edits.confirm": "preview" };
  const editor = await Editor.start({ file: FILE, settings, size: SIZE, scale: 1.25 });
  const { page } = editor;
  const take = async (name: string) => {
    // Where nothing lights up below it.
    await page.mouse.move(SIZE.width / 4, 12);
    await page.screenshot({ path: `${folder}/${name}.png` });
  };
  await page.keyboard.press("Control+B");
  await page.locator(".sidebar .explorer-folders-view").waitFor({ state: "hidden" });

  await editor.select(58, 12);
  await editor.codeActions();
  await take("menu");
  await page.keyboard.press("Escape");

  await editor.goTo(58);
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("e");
  const preview = await editor.preview();
  await preview.locator("hr").waitFor();
  await until("nothing runs", async () => !/running/.test(await editor.status().innerText()));
  await editor.goTo(58);
  await take("explanation");

  await page.locator(".tab", { hasText: "Aside" }).last().click({ button: "middle" });
  await editor.goTo(80);
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("h");
  await page.locator(".codelens-decoration a:visible", { hasText: "Accept" }).waitFor();
  await until("the hints are there", async () => (await editor.ghosts()).length > 0);
  await take("proposal");
  await page.keyboard.press("Alt+A");
  await page.keyboard.press("n");

  await editor.status().click();
  await editor.frame("the usage page", "table, svg");
  await take("usage");
  gate.open();
  await editor.close();
}
