-- Runs inside a real Neovim and does what its user does: selects, opens the menu, picks an entry, looks, undoes.
-- Results are lines of `ok - …` and `not ok - …` in the file that ASIDE_TEST_RESULTS names.

local checks = dofile(vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/checks.lua")
local check, wait, text = checks.check, checks.wait, checks.text

-- Progress as a plugin or a status line sees it.
local events = {}
vim.api.nvim_create_autocmd("LspProgress", {
  callback = function(event)
    table.insert(events, event.data.params.value)
  end,
})

-- The menu: what it showed, and which entry is picked.
local shown, pick
---@diagnostic disable-next-line: duplicate-set-field
vim.ui.select = function(items, options, on_choice)
  shown = vim.tbl_map(function(item)
    return { kind = item.action.kind, title = options.format_item and options.format_item(item) or tostring(item) }
  end, items)
  for index, item in ipairs(items) do
    if item.action.kind == pick then
      return on_choice(item, index)
    end
  end
  on_choice(nil, nil)
end

local source = vim.api.nvim_get_current_buf()

-- Selects a whole function of the example, linewise, as `V` and a motion do.
local function select_function(name)
  vim.api.nvim_set_current_buf(source)
  vim.fn.cursor(1, 1)
  local first = vim.fn.search("^def " .. name .. "(", "cW")
  local after = vim.fn.search("^\\S", "W")
  local last = after == 0 and vim.fn.line("$") or vim.fn.prevnonblank(after - 1)
  vim.cmd(("normal! %dGV%dG"):format(first, last))
end

-- Runs the entry of a kind from the menu on the selection, and waits for the end of its progress: its values.
local function run(kind, name)
  events, shown, pick = {}, nil, kind
  select_function(name)
  vim.lsp.buf.code_action()
  wait("the end of " .. kind, function()
    return #events > 0 and events[#events].kind == "end"
  end)
  vim.cmd("normal! \27")
  return { begin = events[1], finish = events[#events], all = events }
end

local function offers(kind)
  return vim.iter(shown or {}):any(function(entry)
    return entry.kind == kind
  end)
end

-- The same action from the command line, which shares all code but the editor: what the buffer must become.
local function expected(action, name)
  vim.api.nvim_set_current_buf(source)
  local line = vim.fn.search("^def " .. name .. "(", "cwn")
  local place = ("%s:%d"):format(vim.api.nvim_buf_get_name(source), line)
  local result = vim.system({ "aside", "act", action, place, "--simulate", "--json" }, { text = true }):wait()
  if not check(result.code == 0, "aside act " .. action .. " works beside the editor", result) then
    return nil
  end
  return vim.json.decode(result.stdout).edits[1].newText
end

-- How many documents of Aside's are open. What could not be applied is shown as one, too.
local function explanations()
  return #vim.tbl_filter(function(buffer)
    return vim.api.nvim_buf_get_name(buffer):find("/explanations/", 1, true) ~= nil
  end, vim.api.nvim_list_bufs())
end

local function main()
  wait("the server to attach", function()
    return #vim.lsp.get_clients({ bufnr = source, name = "aside" }) == 1
  end)
  wait("initialize", function()
    return vim.lsp.get_clients({ bufnr = source, name = "aside" })[1].initialized
  end)
  local original = text(source)

  -- Explain.
  local explain = run("refactor.aside.explain", "restock_report")
  for _, kind in ipairs({
    "refactor.aside.explain",
    "refactor.aside.tests",
    "refactor.rewrite.aside.typeHints",
    "refactor.rewrite.aside.document",
  }) do
    check(offers(kind), "the menu offers " .. kind, shown)
  end
  check(not offers("refactor.aside.cancel"), "the menu offers nothing to cancel while nothing runs", shown)
  check(explain.begin.kind == "begin" and explain.begin.title:find("restock_report", 1, true) ~= nil,
    "progress begins and says what it works on", explain.begin)
  check(explain.begin.cancellable == true, "progress can be cancelled", explain.begin)
  check(#explain.all > 2, "progress is seen between begin and end", explain.all)
  local explanation
  wait("the explanation to be shown", function()
    explanation = vim.iter(vim.api.nvim_list_bufs()):find(function(buffer)
      return vim.api.nvim_buf_get_name(buffer):find("/explanations/", 1, true)
    end)
    return explanation ~= nil
  end)
  vim.fn.bufload(explanation)
  check(text(explanation):find("restock_report", 1, true) ~= nil, "the explanation is about the function", text(explanation))
  check(text(explanation):lower():find("simulated", 1, true) ~= nil, "the explanation is marked as simulated", text(explanation))
  check(text(source) == original, "an explanation leaves the code alone")

  -- Hover on what was explained.
  vim.api.nvim_set_current_buf(source)
  local line = vim.fn.search("^def restock_report(", "cwn")
  local client = vim.lsp.get_clients({ bufnr = source, name = "aside" })[1]
  local hover = client:request_sync("textDocument/hover", {
    textDocument = { uri = vim.uri_from_bufnr(source) },
    position = { line = line - 1, character = 5 },
  }, 10000, source)
  check(hover and hover.result and hover.result.contents.value:find("restock_report", 1, true) ~= nil,
    "hover shows the explanation again", hover)

  -- Type hints.
  local wanted = expected("add-type-hints", "restock_report")
  local sequence = vim.fn.undotree(source).seq_cur
  local hints = run("refactor.rewrite.aside.typeHints", "restock_report")
  check(text(source) == wanted, "the buffer is what the answer says", { now = text(source), wanted = wanted })
  check(text(source) ~= original, "the function has hints")
  check(vim.fn.undotree(source).seq_cur == sequence + 1, "it is one change", vim.fn.undotree(source))
  local rate = tonumber((hints.finish.message or ""):match("(%d+)%s*%% from cache"))
  check(rate ~= nil and rate > 50, "the second action reads most of its prompt from the cache and says so", hints.finish)
  vim.api.nvim_set_current_buf(source)
  vim.cmd("normal! u")
  check(text(source) == original, "one u brings it back", text(source))

  -- Documentation.
  wanted = expected("document", "restock_report")
  run("refactor.rewrite.aside.document", "restock_report")
  check(text(source) == wanted, "the buffer is what the answer says", { now = text(source), wanted = wanted })
  check(text(source) ~= original, "the function is documented")
  vim.api.nvim_set_current_buf(source)
  vim.cmd("normal! u")
  check(text(source) == original, "one u brings it back", text(source))

  -- Tests, in a file of their own.
  run("refactor.aside.tests", "parse_price")
  local tests
  wait("the test file", function()
    tests = vim.iter(vim.api.nvim_list_bufs()):find(function(buffer)
      return vim.api.nvim_buf_get_name(buffer):match("test[^/]*%.py$")
    end)
    return tests ~= nil
  end)
  vim.fn.bufload(tests)
  local first = text(tests)
  check(first:find("def test_", 1, true) and first:find("parse_price", 1, true), "tests appear in their file", first)
  check(text(source) == original, "the code under test stays as it is")
  check(explanations() == 1, "nothing was kept instead of applied", vim.fn.execute("messages"))
  -- A user's keys end an undo block; a script that goes straight on has to say so.
  vim.api.nvim_buf_call(tests, function()
    vim.cmd("let &g:undolevels = &g:undolevels")
  end)
  run("refactor.aside.tests", "restock_report")
  local second = text(tests)
  check(second:find("restock_report", 1, true) and second:find("parse_price", 1, true), "a second run extends it", second)
  for name in first:gmatch("def (test_[%w_]+)") do
    local _, count = second:gsub("def " .. name .. "%(", "")
    check(count == 1, name .. " is there once", second)
  end
  vim.api.nvim_set_current_buf(tests)
  vim.cmd("normal! u")
  check(text(tests) == first, "one u takes the second run's tests back", text(tests))

  -- A file in which an edit was applied is still in step with the server.
  local again = run("refactor.aside.explain", "parse_price")
  check(again.finish.message:lower():find("failed", 1, true) == nil, "the server still knows the text", again.finish)

  local usage = vim.fn.execute("!aside usage")
  check(usage:find("total +%d+ .*%$%d%.%d"), "the bill can be read", usage)

  client:stop()
  wait("the server to stop", function()
    return client:is_stopped()
  end)
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
