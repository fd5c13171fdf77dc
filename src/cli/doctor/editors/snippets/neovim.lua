vim.lsp.config("aside", {
  cmd = { "aside", "serve" },
  root_markers = { ".git" },
})
vim.lsp.enable("aside")
