import assert from "node:assert/strict";
import { test } from "node:test";
import { rendered } from "../webview/markdown.ts";
import { settledLength } from "../webview/settled.ts";

const SAMPLES = [
  "# Title\n\nSome *words*\nand more.\n\n- a\n- b\n\n  still b\n\n- c\n\nThen\n\n```py\ndef a():\n\n    return 1\n```\n\nEnd.\n",
  "1. one\n\n2. two\n\n   ```js\n   a()\n\n   b()\n   ```\n\n3. three\n\nafter\n",
  "> quote\n\n> again\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\ntext\n",
  "~~~\n```\n\n~~~\n\n````md\n```\n\n```\n\n````\n\n    indented\n\n    code\n\ndone\n",
  "para\n\n---\n\nsetext\n===\n\nlast",
];

test("what is settled is the same in parts as in the whole, however the text comes", () => {
  for (const sample of SAMPLES) {
    const whole = rendered(sample);
    for (const step of [1, 2, 7, 1000]) {
      let html = "";
      let open = "";
      for (let at = 0; at < sample.length; at += step) {
        open += sample.slice(at, at + step);
        const settled = settledLength(open);
        html += rendered(open.slice(0, settled));
        open = open.slice(settled);
      }
      assert.equal(html + rendered(open), whole, JSON.stringify(sample));
    }
  }
});

test("a long text settles, so that a frame's work does not grow with it", () => {
  const text = "A paragraph of some words.\n\n".repeat(200);
  assert.ok(text.length - settledLength(text) < 100);
});

test("what a model writes loads nothing, runs nothing and opens nothing by itself", () => {
  const html = rendered(
    '<script>x</script> <img src=x onerror=y> ![alt](https://evil/a.png) [go](https://a.example/?q="1") [js](javascript:x) [c](command:x)\n',
  );
  assert.doesNotMatch(html, /<(?:script|img)/);
  assert.doesNotMatch(html, /\shref="(?!#")/);
  assert.match(html, /<span class="image">alt<\/span>/);
  assert.match(html, /data-href="https:\/\/a\.example/);
  assert.doesNotMatch(html, /data-href="javascript/);
});

test("code is coloured where the language is known, and escaped everywhere", () => {
  assert.match(rendered("```py\ndef a(): pass\n```"), /hljs-keyword/);
  assert.match(rendered("```unheard\n<b>\n```"), /&lt;b&gt;/);
  assert.match(rendered("```python\n<b>\n```"), /&lt;b&gt;/);
});
