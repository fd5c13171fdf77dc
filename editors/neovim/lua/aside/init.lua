--- Aside in Neovim: what other Lua may use. See `:help aside`.

local M = {}

--- Sets options. Not needed: without it, all have their defaults.
---@param options? aside.Options
function M.setup(options)
  local config = require("aside.config")
  config.set(options)
  vim.g.aside_autostart = config.options.autostart
  if not vim.g.loaded_aside and vim.v.vim_did_enter == 1 then
    -- A plugin manager that found this folder after it had looked for `plugin/`.
    vim.cmd.runtime("plugin/aside.lua")
  end
  if package.loaded["vim.lsp"] then
    -- What Neovim resolved of lsp/aside.lua before is out of date.
    vim.lsp.config("aside", {})
  end
  for what, keys in pairs(config.options.keymaps) do
    local command = what == "menu" and "Aside" or "Aside " .. what
    local desc = "Aside: " .. what
    vim.keymap.set("n", keys, "<Cmd>" .. command .. "<CR>", { desc = desc })
    -- Through the command line, which puts the selection in front.
    vim.keymap.set("x", keys, ":" .. command .. "<CR>", { desc = desc, silent = true })
  end
end

--- Runs an action on a range of the current buffer, as `:Aside` does.
---@param action string
---@param options? { prompt?: string, range?: lsp.Range }
function M.run(action, options)
  options = options or {}
  require("aside.jobs").start(action, { prompt = options.prompt, range = options.range })
end

--- For a status line: what runs, what today cost, and how much of the input came from the cache. Empty without a
--- server.
---@param options? { escape?: boolean } `escape` doubles each %, for status lines that read the text again
---@return string
function M.status(options)
  local text = require("aside.status").text()
  return options and options.escape and (text:gsub("%%", "%%%%")) or text
end

--- The newest `aside/status` of the server, for status lines of one's own. Its shape is in docs/protocol.md.
---@return table?
function M.status_data()
  return require("aside.status").data()
end

return M
