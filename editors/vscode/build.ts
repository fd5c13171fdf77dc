// Bundles the extension and its page. With --production small, else with source maps.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build, type Metafile } from "esbuild";

const production = process.argv.includes("--production");
const common = {
  bundle: true,
  minify: production,
  sourcemap: !production,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
} as const;

const extension = await build({
  ...common,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.cjs",
  platform: "node",
  format: "cjs",
  target: "node22",
  external: ["vscode"],
  // The UMD files of one library hide their own imports from the bundler; its ES modules do not.
  mainFields: ["module", "main"],
  // For what a start takes: loading all that follows belongs to it.
  banner: { js: "const asideBegan = performance.now();" },
});
const page = await build({
  ...common,
  entryPoints: ["webview/preview.ts"],
  outfile: "dist/preview.js",
  platform: "browser",
  format: "iife",
  target: "chrome128",
});
writeFileSync("dist/THIRD-PARTY.txt", licences([extension.metafile, page.metafile]));

/** The licences of the packages that were bundled. */
function licences(bundles: Metafile[]): string {
  const inputs = bundles.flatMap(bundle => Object.keys(bundle.inputs));
  const folders = inputs.map(input => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  const packages = [...new Set(folders.filter(folder => folder !== undefined))].sort();
  const texts = packages.map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find(file => /^licen[cs]e/i.test(file));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(`${folder}/${file}`, "utf8").trim() : ""}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
