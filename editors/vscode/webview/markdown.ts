// Markdown that a model wrote, as HTML that is safe to show: no HTML of its own, no pictures, no link that opens by itself.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import lua from "highlight.js/lib/languages/lua";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import MarkdownIt from "markdown-it";

const LANGUAGES = {
  bash,
  c,
  cpp,
  csharp,
  diff,
  go,
  java,
  javascript,
  json,
  lua,
  php,
  python,
  ruby,
  rust,
  sql,
  typescript,
  xml,
  yaml,
};
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);

/** Code longer than this is shown without colours: they would be computed anew with every word that comes. */
const MOST_COLOURED = 20_000;

const markdown = new MarkdownIt({ html: false, linkify: false, highlight: coloured });

// A picture would be loaded from wherever the model says: its text stands for it.
markdown.renderer.rules.image = (tokens, index) => {
  const token = tokens[index];
  const text = markdown.utils.escapeHtml(token?.content ?? "");
  return `<span class="image">${text}</span>`;
};
// The address is kept aside: a click tells the extension, which asks before it opens anything.
markdown.renderer.rules.link_open = (tokens, index) => {
  const href = markdown.utils.escapeHtml(String(tokens[index]?.attrGet("href") ?? ""));
  return `<a href="#" data-href="${href}" title="${href}">`;
};

function coloured(code: string, language: string): string {
  if (code.length > MOST_COLOURED || hljs.getLanguage(language) === undefined) return "";
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}

/** Markdown as HTML. */
export function rendered(text: string): string {
  return markdown.render(text);
}
