-- What `vim.lsp.enable("aside")` starts. Everything here can be changed with `vim.lsp.config("aside", { … })`.
return require("aside.server").preset()
