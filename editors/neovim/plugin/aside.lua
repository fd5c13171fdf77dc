-- The commands, and nothing else: the plugin's modules are loaded when one of them, or the server, is first needed.
if vim.g.loaded_aside then
  return
end
vim.g.loaded_aside = true

if vim.fn.has("nvim-0.11") == 0 then
  vim.notify("Aside needs Neovim 0.11 or later.", vim.log.levels.ERROR)
  return
end

vim.api.nvim_create_user_command("Aside", function(command)
  require("aside.command").execute(command)
end, {
  bang = true,
  complete = function(...)
    return require("aside.command").complete(...)
  end,
  desc = "Explain, type, test, document or ask about the code with Aside",
  nargs = "*",
  range = true,
})

-- Behind the first screen, so that it costs no time in front of it.
local function enable()
  if vim.g.aside_autostart ~= false then
    vim.lsp.enable("aside")
  end
end

if vim.v.vim_did_enter == 1 then
  -- Behind whoever loads the plugin when it is first needed, and calls `setup` next.
  vim.schedule(enable)
else
  vim.api.nvim_create_autocmd(
    "VimEnter",
    { once = true, callback = vim.schedule_wrap(enable), desc = "Aside's server" }
  )
end
