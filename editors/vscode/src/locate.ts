// Where the server's program is: the setting, what came with the extension, the PATH.
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

/** What is looked at. */
export interface Surroundings {
  /** `aside.server.path`. */
  setting: string | null | undefined;
  /** The extension's folder. */
  extension: string;
  /** The variables of the process. */
  environment: Record<string, string | undefined>;
  platform: NodeJS.Platform;
  /** Whether a file is there and may be run. */
  runs: (file: string) => Promise<boolean>;
}

export type Located =
  | { program: string; from: "setting" | "bundled" | "path" }
  | { missing: "setting"; looked: string }
  | { missing: "everywhere" };

/** The first program there is. A setting that leads nowhere is an error: its user meant it. */
export async function locate(around: Surroundings): Promise<Located> {
  const name = around.platform === "win32" ? "aside.exe" : "aside";
  const setting = around.setting?.trim();
  if (setting) {
    const program = expanded(setting);
    return (await around.runs(program)) ? { program, from: "setting" } : { missing: "setting", looked: program };
  }
  const bundled = path.join(around.extension, "server", name);
  if (await around.runs(bundled)) return { program: bundled, from: "bundled" };
  // Windows spells the variable's name as it likes.
  const key = Object.keys(around.environment).find(key => key.toUpperCase() === "PATH");
  const folders = (key ? (around.environment[key] ?? "") : "").split(around.platform === "win32" ? ";" : ":");
  // Programs started from a desktop often lack the folder that `cargo install` fills.
  folders.push(path.join(homedir(), ".cargo", "bin"));
  for (const folder of folders) {
    // A relative folder would let the opened repository bring the program along.
    if (!path.isAbsolute(folder)) continue;
    const program = path.join(folder, name);
    if (await around.runs(program)) return { program, from: "path" };
  }
  return { missing: "everywhere" };
}

/** Whether a file is there and may be run. */
export async function runs(file: string): Promise<boolean> {
  try {
    await access(file, process.platform === "win32" ? constants.F_OK : constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether version `a` is older than `b`; what is no version is not. */
export function isOlder(a: string, b: string): boolean {
  const [left, right] = [numbers(a), numbers(b)];
  if (left === undefined || right === undefined) return false;
  for (let index = 0; index < 3; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function numbers(version: string): number[] | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  return found?.slice(1).map(Number);
}

function expanded(file: string): string {
  const home = file.replace(/^~(?=$|[/\\])/, homedir());
  return path.resolve(home);
}
