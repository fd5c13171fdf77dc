--- Names for what the plugin draws, each linked to one that every colour scheme has.

local M = {}

local links = {
  AsideAdd = "DiffAdd",
  AsideDelete = "DiffDelete",
  AsideChange = "DiffText",
  AsideHint = "Comment",
  AsideProgress = "Comment",
  AsideError = "DiagnosticError",
  AsideTitle = "Title",
  AsideUsage = "Comment",
}

function M.define()
  for name, link in pairs(links) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
end

return M
