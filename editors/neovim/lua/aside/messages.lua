--- What the server says. Neovim asks for a key after a message that does not fit; so long ones are cut, and kept.

local M = {}

---@type string[]
local said = {}

--- So many are kept.
local MOST = 100

local levels = {
  [vim.lsp.protocol.MessageType.Error] = vim.log.levels.ERROR,
  [vim.lsp.protocol.MessageType.Warning] = vim.log.levels.WARN,
  [vim.lsp.protocol.MessageType.Info] = vim.log.levels.INFO,
}

--- The beginning of a text that has room in so many columns.
---@param text string
---@param room integer
---@return string
function M.cut(text, room)
  if vim.fn.strdisplaywidth(text) <= room then
    return text
  end
  local shown = vim.fn.strcharpart(text, 0, room)
  while vim.fn.strdisplaywidth(shown) >= room and shown ~= "" do
    shown = vim.fn.strcharpart(shown, 0, vim.fn.strchars(shown) - 1)
  end
  return shown .. "…"
end

--- Whether messages are Neovim's own lines rather than some plugin's windows.
---@return boolean
local function plain()
  return assert(debug.getinfo(vim.notify, "S")).source:find("_editor.lua", 1, true) ~= nil
end

---@param params lsp.ShowMessageParams
function M.on_message(params)
  local text = params.message:gsub("%s*\n%s*", " ")
  table.insert(said, text)
  if #said > MOST then
    table.remove(said, 1)
  end
  local level = levels[params.type] or vim.log.levels.INFO
  -- An error is worth a key.
  if level ~= vim.log.levels.ERROR and plain() then
    text = M.cut(text, vim.v.echospace)
  end
  vim.notify(text, level)
end

--- All that was said, oldest first.
---@return string[]
function M.all()
  return vim.deepcopy(said)
end

return M
