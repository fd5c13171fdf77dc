std = "luajit"
read_globals = { "vim" }
globals = { "vim.b", "vim.bo", "vim.g", "vim.o", "vim.opt", "vim.wo", "vim.env", "vim.ui", "vim.notify" }
max_line_length = 120
