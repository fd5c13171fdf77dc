import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ACTIONS, available } from "../src/actions.ts";

const root = new URL("../", import.meta.url);
const { contributes, capabilities, icon } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const commands: string[] = contributes.commands.map(({ command }: { command: string }) => command);
const sources = readdirSync(new URL("src", root)).map(file => readFileSync(new URL(`src/${file}`, root), "utf8"));

test("every command that is shown exists, and every action has one", () => {
  const shown = [...Object.values(contributes.menus).flat(), ...contributes.keybindings] as { command?: string }[];
  for (const { command } of shown) assert.ok(command === undefined || commands.includes(command), command);
  for (const { command } of ACTIONS) assert.ok(commands.includes(`aside.${command}`), command);
  const registered = (command: string) => sources.some(source => source.includes(`"${command}"`));
  const byTable = ACTIONS.map(({ command }) => `aside.${command}`);
  for (const command of commands) assert.ok(byTable.includes(command) || registered(command), command);
});

test("commands of actions that the server does not have are not offered", () => {
  assert.deepEqual(
    available(["refactor.aside.explain", "refactor.aside.unheard"]).map(({ id }) => id),
    ["explain"],
  );
});

test("what decides about key, money and program is the user's alone", () => {
  const sections: { properties: Record<string, { scope: string }> }[] = contributes.configuration;
  const properties = Object.assign({}, ...sections.map(section => section.properties));
  const own = Object.keys(properties).filter(key =>
    /^aside\.(?:api|budget|server|trace)\.|privacy\.(?:redact|include)|parameters\.(?:userId|serviceTier)|prices/.test(
      key,
    ),
  );
  assert.ok(own.length > 8);
  for (const key of own) assert.equal(properties[key].scope, "machine", key);
  const restricted: string[] = capabilities.untrustedWorkspaces.restrictedConfigurations;
  for (const key of Object.keys(properties)) assert.ok(own.includes(key) !== restricted.includes(key), key);
});

test("the walkthrough's words have no marks that VS Code shows as they are", () => {
  for (const { description } of contributes.walkthroughs[0].steps)
    assert.ok(!/`|\*/.test(description.replaceAll("**", "")), description);
});

test("pictures that are named are there", () => {
  const named = [
    icon,
    ...contributes.walkthroughs[0].steps.map(
      ({ media }: { media: Record<string, string> }) => media.image ?? media.markdown,
    ),
  ];
  for (const file of named) assert.ok(existsSync(new URL(file, root)), file);
  const readme = readFileSync(new URL("README.md", root), "utf8");
  for (const [, file] of readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g))
    assert.ok(file && existsSync(new URL(file, root)), file);
});
