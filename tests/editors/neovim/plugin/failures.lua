-- Runs inside a real Neovim with the plugin, against a server that plays failures.toml: what a user sees of it.

local checks = dofile(vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/../checks.lua")
local check, wait = checks.check, checks.wait

local window = require("aside.window")
local source = vim.api.nvim_get_current_buf()
local code = vim.api.nvim_get_current_win()
local ending
vim.api.nvim_create_autocmd("User", {
  pattern = "AsideEnd",
  callback = function(event)
    ending = event.data
  end,
})

local said = {}
---@diagnostic disable-next-line: duplicate-set-field
vim.notify = function(words)
  table.insert(said, words)
end

local function was_said(words)
  return vim.iter(said):any(function(message)
    return message:find(words, 1, true) ~= nil
  end)
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(source, 0, -1, false), "\n")
end

local function page_has(words)
  local page = window.page()
  return page ~= nil and page:text():find(words, 1, true) ~= nil
end

-- Types a command at a function, and waits until its work has ended.
local function at(name, command)
  vim.api.nvim_set_current_win(code)
  vim.api.nvim_set_current_buf(source)
  vim.fn.cursor(1, 1)
  vim.fn.search("^def " .. name .. "(", "cW")
  ending, said = nil, {}
  vim.cmd(command)
  wait("the end of " .. command, function()
    return ending ~= nil
  end)
  return assert(ending)
end

local function tools(original)
  local finish = at("parse_price", "Aside ask Read what is outside")
  check(finish.outcome == "shown", "a tool that fails ends nothing", finish)
  check(page_has("That cannot be seen from here."), "the model was told and answers", window.page())
  finish = at("parse_price", "Aside ask Look for ever")
  check(finish.outcome == "failed", "tools without end are ended", finish)
  wait("the reason", function()
    return was_said("8 times in a row")
  end)
  check(true, "and the user is told why")
  check(text() == original, "the code is as it was")
end

local function findings()
  local finish = at("parse_price", "Aside review")
  check(finish.outcome == "shown", "a review with malformed findings ends well", finish)
  local function found()
    return vim.tbl_filter(function(diagnostic)
      return diagnostic.source == "aside"
    end, vim.diagnostic.get(source))
  end
  wait("the one that is right", function()
    return #found() == 1
  end)
  check(found()[1].message == "Half a cent is lost." and found()[1].lnum == 84, "only what is right is shown", found())
  wait("the word about the others", function()
    return was_said("2 findings were not in order")
  end)
  check(true, "and how many are not")
  -- The review is asked about, from the menu of its finding.
  ---@diagnostic disable-next-line: duplicate-set-field
  vim.ui.select = function(items, _, on_choice)
    on_choice(items[1], 1)
  end
  vim.api.nvim_set_current_win(code)
  vim.fn.cursor(85, 1)
  vim.lsp.buf.code_action({ context = { only = { "refactor.aside.followUp" }, diagnostics = {} } })
  wait("the review as a page", function()
    return page_has("Half a cent is lost.")
  end)
  ending = nil
  vim.cmd("Aside follow-up When does that matter?")
  wait("the answer", function()
    return ending ~= nil
  end)
  check(assert(ending).outcome == "shown" and page_has("Only for prices in half cents."), "it is answered", ending)
end

local function edited(original)
  at("parse_price", "Aside explain")
  vim.api.nvim_buf_set_lines(source, 84, 85, false, { "    places = 3", "    return round(float(digits), places)" })
  ending = nil
  vim.cmd("Aside follow-up How exact is it?")
  wait("the answer", function()
    return ending ~= nil
  end)
  check(ending.outcome == "shown", "an explanation of code that was edited can be asked about", ending)
  check(page_has("Since you changed it, three places are kept."), "and the edit is known", window.page())
  vim.api.nvim_set_current_win(code)
  vim.cmd("silent undo")
  check(text() == original, "the code is the user's", text())
end

local function picture()
  vim.api.nvim_set_current_win(code)
  vim.cmd.edit("page.md")
  local page = vim.api.nvim_get_current_buf()
  wait("the server to attach", function()
    return #vim.lsp.get_clients({ bufnr = page, name = "aside" }) == 1
  end)
  said = {}
  vim.fn.cursor(1, 5)
  vim.cmd("Aside describe-image")
  wait("the reason", function()
    return was_said("words.png is no picture")
  end)
  check(true, "an image that is no image is told of")
  check(vim.api.nvim_get_current_line() == "![](words.png)", "and the link is left alone")
end

local function main()
  wait("the server to attach", function()
    return #vim.lsp.get_clients({ bufnr = source, name = "aside" }) == 1
  end)
  local original = text()
  tools(original)
  findings()
  edited(original)
  picture()
  check(not vim.fn.execute("messages"):find("Error"), "no error was shown", vim.fn.execute("messages"))
  vim.cmd("qall!")
end

-- Behind Neovim's own start, as a user's first key is.
vim.schedule(function()
  local done, problem = xpcall(main, debug.traceback)
  if not done then
    check(false, "the driver came to its end", problem)
    vim.cmd("cquit")
  end
end)
