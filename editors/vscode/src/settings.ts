// What the user set, sorted by whom it may come from.
//
// VS Code answers with defaults for what nobody set. Sent to the server those would stand above the user's own
// configuration file, so only what somebody really set is passed on.

/** What VS Code knows about one setting. */
export interface Inspected {
  globalValue?: unknown;
  workspaceValue?: unknown;
  workspaceFolderValue?: unknown;
}

/** The settings of the server, by who may set them. */
export interface ServerSettings {
  /** Of scope `window`: a repository can carry them, and the server trusts them no further than that. */
  editor: Record<string, unknown>;
  /** Of scope `machine`: only the user sets them, so they go into the server's environment. */
  trusted: Record<string, unknown>;
}

/** A section of `contributes.configuration`. */
export interface ConfigurationSection {
  properties: Record<string, { scope?: string }>;
}

/** Sorts what was set. The first section is the extension's own and no business of the server's. */
export function serverSettings(
  sections: readonly ConfigurationSection[],
  inspect: (key: string) => Inspected | undefined,
): ServerSettings {
  const settings: ServerSettings = { editor: {}, trusted: {} };
  for (const section of sections.slice(1)) {
    for (const [key, { scope }] of Object.entries(section.properties)) {
      const inspected = inspect(key);
      const isTrusted = scope === "machine";
      const value = isTrusted
        ? inspected?.globalValue
        : (inspected?.workspaceFolderValue ?? inspected?.workspaceValue ?? inspected?.globalValue);
      if (value === undefined || value === null) continue;
      put(isTrusted ? settings.trusted : settings.editor, key.replace(/^aside\./, "").split("."), value);
    }
  }
  return settings;
}

/** The same as the server's protocol wants it: an empty object would leave what was said before. */
export function answer(editor: Record<string, unknown>): Record<string, unknown> {
  return Object.keys(editor).length > 0 ? editor : { cache: {} };
}

/** Whether something that was set before is set no longer. */
export function lacks(now: unknown, before: unknown): boolean {
  if (typeof before !== "object" || before === null || Array.isArray(before)) return now === undefined;
  const members = (typeof now === "object" && now !== null ? now : {}) as Record<string, unknown>;
  return Object.entries(before).some(([key, value]) => lacks(members[key], value));
}

function put(target: Record<string, unknown>, path: string[], value: unknown): void {
  const last = path.pop();
  if (last === undefined) return;
  let section = target;
  for (const key of path) {
    const inner = (section[key] ?? {}) as Record<string, unknown>;
    section[key] = inner;
    section = inner;
  }
  section[last] = value;
}
