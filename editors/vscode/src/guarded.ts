// A page of the server's for a webview.

/** The page with a policy by which it loads nothing and runs nothing. */
export function guarded(page: string): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const tag = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  return /<head[^>]*>/i.test(page) ? page.replace(/<head[^>]*>/i, head => head + tag) : tag + page;
}
