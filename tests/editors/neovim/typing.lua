-- What the test that types into Neovim asks it from outside, and keys for entries of the menu, as the README gives them.

local source = vim.api.nvim_get_current_buf()

-- The last progress: what a status line shows of it, and how many edits were applied.
Last = ""
Applied = 0
vim.api.nvim_create_autocmd("LspProgress", {
  callback = function(event)
    local value = event.data.params.value
    Last = value.kind .. " " .. (value.message or "")
    Applied = Applied + (Last:find("^end Applied") and 1 or 0)
  end,
})

for key, kind in pairs({ ["\\h"] = "refactor.rewrite.aside.typeHints", ["\\e"] = "refactor.aside.explain" }) do
  vim.keymap.set("x", key, function()
    Last = ""
    vim.lsp.buf.code_action({ apply = true, context = { only = { kind }, diagnostics = {} } })
  end)
end

function Ready()
  local client = vim.lsp.get_clients({ bufnr = source, name = "aside" })[1]
  return client ~= nil and client.initialized == true
end

function Ended(words)
  return Last:find("end " .. words, 1, true) ~= nil
end

-- Goes to a file that was not open, which Neovim counts from 0. Its first changes are held back for long: whatever comes
-- meanwhile is for a text that it has no longer.
function Fresh(name)
  vim.lsp.get_clients({ name = "aside" })[1].flags.debounce_text_changes = 1500
  vim.cmd.edit(name)
  source = vim.api.nvim_get_current_buf()
  return vim.lsp.util.buf_versions[source] == 0
end

function Back()
  source = vim.fn.bufnr("inventory.py")
  vim.api.nvim_set_current_buf(source)
  return true
end

function Forget()
  Applied = 0
  return true
end

function Running()
  local client = vim.lsp.get_clients({ name = "aside" })[1]
  return vim.tbl_count(client.progress.pending)
end

-- The file's text again, in the source's window. Not `:edit!`, which opens the document anew.
function Reset()
  vim.api.nvim_set_current_buf(source)
  vim.api.nvim_buf_set_lines(source, 0, -1, false, vim.fn.readfile("inventory.py"))
  return true
end

function Save(path)
  local lines = vim.api.nvim_buf_get_lines(source, 0, -1, false)
  return vim.fn.writefile(lines, path)
end

-- Whether another buffer than the source has all of these.
function Shown(...)
  local patterns = { ... }
  return vim.iter(vim.api.nvim_list_bufs()):any(function(buffer)
    vim.fn.bufload(buffer)
    local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
    return buffer ~= source and vim.iter(patterns):all(function(pattern)
      return text:find(pattern) ~= nil
    end)
  end)
end
