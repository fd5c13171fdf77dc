-- Runs inside a real Neovim with the plugin and is its user. Results are lines in the file that ASIDE_TEST_RESULTS
-- names; while the file `closed` is in the folder ASIDE_TEST_GATE, an answer stops behind its first words.

local checks = dofile(vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/../checks.lua")
local check, wait, text = checks.check, checks.wait, checks.text
local gate = assert(vim.env.ASIDE_TEST_GATE)

local function hold()
  os.remove(gate .. "/held")
  os.remove(gate .. "/gone")
  assert(io.open(gate .. "/closed", "w")):close()
end

local function release()
  os.remove(gate .. "/closed")
end

local function is_there(name)
  return vim.uv.fs_stat(gate .. "/" .. name) ~= nil
end

local events = {}
vim.api.nvim_create_autocmd("User", {
  pattern = "Aside*",
  callback = function(event)
    if event.match ~= "AsideStatus" then
      table.insert(events, { name = event.match, data = event.data })
    end
  end,
})

local function ended()
  local last = events[#events]
  return last and last.name == "AsideEnd" and last.data or nil
end

local said = {}
---@diagnostic disable-next-line: duplicate-set-field
vim.notify = function(words, level)
  table.insert(said, { words = words, level = level })
end

local function was_said(pattern)
  return vim.iter(said):any(function(message)
    return message.words:find(pattern) ~= nil
  end)
end

local window = require("aside.window")
local source = vim.api.nvim_get_current_buf()
local code = vim.api.nvim_get_current_win()

local function go_to(name)
  vim.api.nvim_set_current_win(code)
  vim.api.nvim_set_current_buf(source)
  vim.fn.cursor(1, 1)
  return vim.fn.search("^def " .. name .. "(", "cW")
end

-- Selects a whole function and types a command, as a user does.
local function on_selection(name, command)
  go_to(name)
  events, said = {}, {}
  local after = vim.fn.search("^\\S", "Wn")
  local last = after == 0 and vim.fn.line("$") or vim.fn.prevnonblank(after - 1)
  vim.api.nvim_feedkeys(vim.keycode(("V%dG:%s<CR>"):format(last, command)), "x", false)
end

local function at_cursor(name, command)
  go_to(name)
  events, said = {}, {}
  vim.cmd(command)
end

local function wait_for_end(what)
  wait("the end of " .. what, ended)
  return assert(ended())
end

-- The same action from the command line, which shares all code but the editor.
local function from_terminal(action, name)
  local place = ("%s:%d"):format(vim.api.nvim_buf_get_name(source), go_to(name))
  local done = vim.system({ "aside", "act", action, place, "--simulate", "--json" }, { text = true }):wait()
  check(done.code == 0, "aside act " .. action .. " works beside the editor", done)
  return vim.json.decode(done.stdout)
end

local function marks(name)
  return vim.api.nvim_buf_get_extmarks(source, vim.api.nvim_create_namespace(name), 0, -1, { details = true })
end

local function page_text()
  local page = assert(window.page())
  return (page:text():gsub("%s+$", ""))
end

local function explains(original)
  local wanted = vim.trim(from_terminal("explain", "restock_report").explanation)
  hold()
  on_selection("restock_report", "Aside explain")
  wait("the first words", function()
    return is_there("held") and window.is_open() and #page_text() > 0
  end)
  check(
    #page_text() < #wanted and vim.startswith(wanted, page_text()),
    "the first words are there before the rest",
    page_text()
  )
  check(vim.api.nvim_get_current_win() == code, "the cursor stays in the code")
  check(vim.bo[assert(window.page()).buffer].filetype == "aside", "the page has a type of its own")
  check(vim.treesitter.highlighter.active[assert(window.page()).buffer] ~= nil, "and is highlighted")
  check(#marks("aside.progress") == 1, "the work is marked where it works", marks("aside.progress"))
  check(
    require("aside").status():find("restock_report", 1, true) ~= nil,
    "the status line says what runs",
    require("aside").status()
  )
  release()
  local finish = wait_for_end("explain")
  check(finish.outcome == "shown" and finish.action == "explain", "an event tells the end", finish)
  check(page_text() == wanted, "the page is the whole answer", { page_text(), wanted })
  check(text(source) == original, "an explanation leaves the code alone")
  wait("the document to be known", function()
    return assert(window.page()).uri ~= nil
  end)
  check(#vim.api.nvim_list_wins() == 2, "nothing else opened", vim.api.nvim_list_wins())
  check(assert(window.page()).footer:match("from cache · %$") ~= nil, "what it cost stands above it", window.page())
  wait("the day's cost", function()
    return require("aside").status():match("%$0%.%d+ today") ~= nil
  end)
  check(true, "the status line says what today cost")

  -- Hover on what was explained.
  local line = go_to("restock_report")
  local client = assert(require("aside.server").client(source))
  local hover = client:request_sync("textDocument/hover", {
    textDocument = { uri = vim.uri_from_bufnr(source) },
    position = { line = line - 1, character = 5 },
  }, 10000, source)
  check(
    hover and hover.result and hover.result.contents.value:find("restock_report", 1, true) ~= nil,
    "hover shows it again",
    hover
  )

  -- The window and its keys.
  check(
    vim.fn.execute("Aside explanation") and vim.api.nvim_get_current_win() == window.window(),
    "`:Aside explanation` goes there"
  )
  vim.api.nvim_feedkeys("y.", "x", false)
  check(vim.trim(vim.fn.getreg('"')) == wanted, "y. copies all of it")
  vim.api.nvim_feedkeys("q", "x", false)
  check(not window.is_open(), "q closes it")
end

local function types_meanwhile(original)
  hold()
  go_to("parse_price")
  events = {}
  vim.cmd("Aside explain")
  wait("the first words", function()
    return is_there("held") and window.is_open()
  end)
  -- Insert mode, while the rest comes: keys must go into the code.
  vim.fn.cursor(1, 1)
  release()
  local typed = ("abc "):rep(40)
  vim.api.nvim_feedkeys("O# " .. typed .. vim.keycode("<Esc>"), "tx", false)
  wait_for_end("explain")
  check(vim.api.nvim_buf_get_lines(source, 0, 1, false)[1] == "# " .. typed, "typed words are in the code")
  check(vim.api.nvim_get_current_win() == code, "and the cursor with them")
  vim.api.nvim_set_current_buf(source)
  vim.cmd.undo()
  check(text(source) == original, "the code is as it was")
  window.close()
end

local function edits(original)
  local wanted = from_terminal("add-type-hints", "parse_price").edits[1].newText
  local changes = vim.fn.undotree(source).seq_last
  on_selection("parse_price", "Aside add-type-hints")
  check(wait_for_end("add-type-hints").outcome == "applied", "hints are applied", ended())
  check(text(source) == wanted, "the code is what the answer says", text(source))
  check(wanted ~= original, "which is not what it was")
  check(vim.fn.undotree(source).seq_last == changes + 1, "it is one change")
  check(not window.is_open(), "an edit opens no window")
  go_to("parse_price")
  vim.cmd("normal! u")
  check(text(source) == original, "one u brings it back")

  at_cursor("parse_price", "Aside write-tests")
  check(wait_for_end("write-tests").outcome == "applied", "tests are applied", ended())
  local tests = vim.fn.bufnr("test_inventory.py")
  check(tests > 0 and text(tests):find("def test_", 1, true) ~= nil, "tests are in their file")
  vim.api.nvim_set_current_win(code)
  vim.api.nvim_set_current_buf(source)
  vim.cmd("only")
end

local function cancels(original)
  hold()
  at_cursor("load_items", "Aside explain")
  wait("the first words", function()
    return is_there("held") and #require("aside.jobs").running() == 1
  end)
  vim.cmd("Aside cancel")
  local finish = wait_for_end("explain")
  release()
  check(finish.outcome == "cancelled", "it is cancelled midway", finish)
  wait("the request to be dropped", function()
    return is_there("gone")
  end)
  check(true, "and the request with it")
  wait("the page to say so", function()
    return page_text():find("Cancelled", 1, true) ~= nil
  end)
  check(text(source) == original, "cancelling leaves the code alone")
  said = {}
  wait("nothing to run", function()
    return #require("aside.jobs").running() == 0
  end)
  vim.cmd("Aside cancel")
  check(was_said("nothing is running"), "then there is nothing to cancel", said)
  window.close()
end

local function previews(original)
  local client = assert(require("aside.server").client(source))
  client.settings = { aside = { edits = { confirm = "preview" } } }
  client:notify("workspace/didChangeConfiguration", { settings = client.settings })
  local wanted = from_terminal("add-type-hints", "parse_price").edits[1].newText
  local function propose()
    at_cursor("parse_price", "Aside add-type-hints")
    wait("a proposal", function()
      return next(require("aside.preview").waiting()) ~= nil
    end)
    local drawn = marks("aside.preview")
    local lines = vim.iter(drawn):find(function(mark)
      return mark[4].virt_lines ~= nil
    end)
    local shown = lines
      and vim.iter(lines[4].virt_lines[1]):fold("", function(all, chunk)
        return all .. chunk[1]
      end)
    check(
      shown and vim.trim(shown) == wanted:match("def parse_price[^\n]*"),
      "the new line is drawn below the old one",
      drawn
    )
    check(text(source) == original, "the code waits")
    check(not vim.inspect(marks("aside.progress")):find("applying", 1, true), "only the hint says what is going on")
  end
  propose()
  vim.fn.cursor(1, 1)
  vim.cmd("Aside preview")
  check(vim.api.nvim_get_current_line():find("def parse_price", 1, true) ~= nil, "`:Aside preview` goes there")
  vim.cmd("Aside reject")
  check(wait_for_end("the proposal").outcome == "kept", "a rejected edit is kept", ended())
  check(text(source) == original, "and changes nothing")
  check(#marks("aside.preview") == 0, "nothing of it is left on the screen")
  check(not window.is_open(), "and no window opens for what was just refused")
  propose()
  vim.cmd("Aside accept")
  check(wait_for_end("the proposal").outcome == "applied", "an accepted edit is applied", ended())
  check(text(source) == wanted, "and is in the code")
  check(#marks("aside.preview") == 0, "nothing of the preview is left")
  go_to("parse_price")
  vim.cmd("normal! u")
  check(text(source) == original, "one u brings it back")

  -- A file that is not there yet: a diff in the window.
  vim.cmd("silent! bwipeout! test_inventory.py")
  vim.fn.delete("test_inventory.py")
  at_cursor("parse_price", "Aside write-tests")
  wait("a proposal", function()
    return next(require("aside.preview").waiting()) ~= nil
  end)
  check(
    window.is_open() and page_text():find("+def test_", 1, true) ~= nil,
    "a new file is proposed as a diff",
    page_text()
  )
  vim.cmd("Aside reject")
  wait_for_end("write-tests")
  check(not window.is_open(), "whose window goes with it")
  check(vim.uv.fs_stat("test_inventory.py") == nil, "a rejected file is not made")
  client.settings = { aside = { edits = { confirm = "never" } } }
  client:notify("workspace/didChangeConfiguration", { settings = client.settings })
end

local function menus()
  -- The editor's own menu leads to the same window.
  local offered = {}
  ---@diagnostic disable-next-line: duplicate-set-field
  vim.ui.select = function(items, _, on_choice)
    offered = vim.tbl_map(function(item)
      return (item.action or item).title
    end, items)
    on_choice(items[1], 1)
  end
  go_to("restock_report")
  events = {}
  vim.lsp.buf.code_action({ context = { only = { "refactor.aside.explain" }, diagnostics = {} } })
  wait_for_end("explain from the menu")
  check(window.is_open() and page_text():find("restock_report", 1, true) ~= nil, "gra leads to the window too")
  window.close()
  at_cursor("restock_report", "Aside")
  wait_for_end("explain from `:Aside`")
  check(
    #offered >= 4 and offered[1]:lower():find("explain", 1, true) ~= nil,
    "`:Aside` offers what can be done here",
    offered
  )
  check(window.is_open(), "and does it")
  window.close()

  local words = vim.fn.getcompletion("Aside ", "cmdline")
  for _, word in ipairs({ "explain", "add-type-hints", "write-tests", "cancel", "usage", "accept" }) do
    check(vim.list_contains(words, word), "completion knows " .. word, words)
  end
  check(
    vim.deep_equal(vim.fn.getcompletion("Aside exp", "cmdline"), { "explain", "explanation" }),
    "it completes what was begun"
  )
  check(#vim.fn.getcompletion("'<,'>Aside explain ", "cmdline") == 0, "and leaves words to the user")
  at_cursor("restock_report", "Aside explian")
  check(was_said("did you mean `explain`"), "a word that is near is offered", said)
  vim.cmd("enew")
  said = {}
  vim.cmd("Aside explain")
  check(was_said("has no type"), "what has no server says why", said)
  vim.api.nvim_set_current_buf(source)
end

-- A linter that is no language server, and the editor's own menu: the fix names what was complained about.
local function mends(original)
  local line = assert(go_to("parse_price")) + 1
  local wrong = '    digits = text.replase(currency, "€").strip()'
  vim.fn.setline(line + 1, wrong)
  local column = assert(wrong:find("currency", 1, true)) - 1
  wrong = wrong:gsub("currency", "curency")
  vim.fn.setline(line + 1, wrong)
  local linter = vim.api.nvim_create_namespace("linter")
  vim.diagnostic.set(linter, source, {
    {
      lnum = line,
      col = column,
      end_col = column + #"curency",
      severity = vim.diagnostic.severity.ERROR,
      message = "Undefined name `curency`",
      source = "lint",
    },
  })
  local offered
  ---@diagnostic disable-next-line: duplicate-set-field
  vim.ui.select = function(items, _, on_choice)
    offered = vim.tbl_map(function(item)
      return (item.action or item).title
    end, items)
    on_choice(items[1], 1)
  end
  vim.fn.cursor(line + 1, column + 1)
  events = {}
  vim.lsp.buf.code_action({ context = { only = { "quickfix" } } })
  local ending = wait_for_end("a fix from the menu")
  check(
    vim.deep_equal(offered, { "Aside: fix: Undefined name `curency`" }),
    "gra offers to fix what a linter complains about",
    offered
  )
  check(ending.outcome == "applied", "and does it", ending)
  local fixed = wrong:gsub("curency", "currency")
  check(vim.fn.getline(line + 1) == fixed, "the name is right", vim.fn.getline(line + 1))
  vim.diagnostic.reset(linter, source)
  vim.api.nvim_buf_set_lines(source, 0, -1, false, vim.split(vim.trim(original), "\n"))
end

-- Findings are diagnostics like any others; one is mended from the menu, and is gone.
local function reviews(original)
  local line = assert(go_to("parse_price")) + 1
  local wrong = '    digits = "" if text == None else text.replace(currency, "").strip()'
  vim.fn.setline(line + 1, wrong)
  at_cursor("parse_price", "Aside review")
  local ending = wait_for_end("a review")
  check(ending.outcome == "shown", "`:Aside review` reviews", ending)
  local function found()
    return vim.iter(vim.diagnostic.get(source, { lnum = line })):find(function(diagnostic)
      return diagnostic.source == "aside" and diagnostic.code == "none-comparison"
    end)
  end
  wait("a finding", found)
  check(assert(found()).message:find("Simulated", 1, true) ~= nil, "a finding is a diagnostic of the line", found())
  ---@diagnostic disable-next-line: duplicate-set-field
  vim.ui.select = function(items, _, on_choice)
    on_choice(items[1], 1)
  end
  vim.fn.cursor(line + 1, 1)
  vim.lsp.buf.code_action({ context = { only = { "quickfix.aside.finding" } } })
  local mended = wrong:gsub("== None", "is None")
  wait("the repair", function()
    return vim.fn.getline(line + 1) == mended
  end)
  wait("the finding to go", function()
    return found() == nil
  end)
  check(true, "gra mends it, and then it is gone")
  vim.api.nvim_buf_set_lines(source, 0, -1, false, vim.split(vim.trim(original), "\n"))
end

local function selections()
  local server = require("aside.server")
  local sent
  local execute = server.execute
  ---@diagnostic disable-next-line: duplicate-set-field
  server.execute = function(_, _, argument)
    sent = argument
  end
  local line = go_to("parse_price")
  local length = #vim.api.nvim_get_current_line()
  local function range(keys)
    go_to("parse_price")
    vim.api.nvim_feedkeys(vim.keycode(keys), "x", false)
    return { sent.range.start.line, sent.range.start.character, sent.range["end"].line, sent.range["end"].character }
  end
  -- In bytes: that is how Neovim counts where it is let.
  check(assert(server.client(source)).offset_encoding == "utf-8", "positions are in bytes")
  local row, below = line - 1, #vim.fn.getline(line + 1)
  check(vim.deep_equal(range("Vj:Aside explain<CR>"), { row, 0, row + 1, below }), "V selects lines", sent)
  check(vim.deep_equal(range("wve:Aside explain<CR>"), { row, 4, row, 15 }), "v selects letters", sent)
  check(
    vim.deep_equal(range("wv$:Aside explain<CR>"), { row, 4, row, length }),
    "v up to the end of a line with €",
    { sent, length }
  )
  check(
    vim.deep_equal(range(":.,+1Aside explain why is it slow<CR>"), { row, 0, row + 1, below }),
    "a range in numbers is lines",
    sent
  )
  check(sent.prompt == "why is it slow", "words go along", sent)
  check(vim.deep_equal(range("w:Aside explain<CR>"), { row, 4, row, 4 }), "without a selection it is the cursor", sent)
  ---@diagnostic disable-next-line: duplicate-set-field
  vim.ui.input = function(_, on_input)
    on_input("and why")
  end
  range(":Aside! explain<CR>")
  check(sent.prompt == "and why", "with ! words are asked for", sent)
  require("aside").setup({ keymaps = { document = "<leader>d", ["add-type-hints"] = "gz" } })
  go_to("parse_price")
  vim.api.nvim_feedkeys(vim.keycode("Vj\\d"), "tx", false)
  check(sent.action == "document" and sent.range["end"].line == row + 1, "a key works on a selection", sent)
  go_to("parse_price")
  vim.api.nvim_feedkeys("gz", "tx", false)
  check(sent.action == "add-type-hints" and sent.range["end"].line == row, "and at the cursor", sent)
  server.execute = execute
end

local function pages()
  vim.cmd("Aside usage")
  wait("the usage", function()
    return vim.api.nvim_win_get_config(0).relative ~= ""
  end)
  local usage = text()
  check(
    usage:find("| today ", 1, true) ~= nil and usage:find("explain · claude", 1, true) ~= nil,
    "the usage is shown",
    usage
  )
  check(usage:match("%$0%.%d+") ~= nil, "with what it cost", usage)
  vim.api.nvim_feedkeys("q", "x", false)
  check(vim.api.nvim_get_current_win() == code, "q leaves it")
  vim.cmd("Aside log")
  check(vim.api.nvim_buf_get_name(0):find("lsp.log", 1, true) ~= nil, "`:Aside log` opens the log")
  vim.cmd("bwipeout")
  vim.cmd("checkhealth aside")
  wait("the health", function()
    return vim.bo.filetype == "checkhealth" and text():find("aside doctor", 1, true) ~= nil
  end)
  local health = text()
  check(health:find("The server is running", 1, true) ~= nil, "health knows the server", health)
  check(health:find("aside 0%.%d+%.%d+: /") ~= nil, "health knows the program", health)
  check(health:find("OK credentials", 1, true) ~= nil, "health knows the credentials", health)
  check(health:find("ERROR", 1, true) == nil, "health finds nothing wrong", health)
  vim.cmd("bwipeout")
  require("aside.config").set({ windw = {}, cmd = { "no-such-aside" } })
  vim.cmd("checkhealth aside")
  health = text()
  check(
    health:find("ERROR there is no option `windw`: did you mean `window`?", 1, true) ~= nil,
    "health tells wrong options",
    health
  )
  check(health:find("ERROR `no-such-aside` was not found", 1, true) ~= nil, "and a missing program", health)
  vim.cmd("bwipeout")
  require("aside.config").set({})
  vim.cmd(
    "helptags "
      .. vim.fn.fnameescape(vim.fn.fnamemodify(vim.api.nvim_get_runtime_file("doc/aside.txt", false)[1], ":h"))
  )
  vim.cmd("help :Aside")
  check(
    vim.bo.filetype == "help" and vim.api.nvim_buf_get_name(0):find("aside.txt", 1, true) ~= nil,
    ":help :Aside opens the manual"
  )
  vim.cmd("helpclose")
end

-- Asking on about an explanation, and asking about code.
local function talks(original)
  local explained = page_text()
  -- What Claude looks at is shown while it does.
  local Page = getmetatable(assert(window.page()))
  local note, noted = Page.note, {}
  Page.note = function(page, kind, words)
    note(page, kind, words)
    page:flush()
    local namespace = vim.api.nvim_create_namespace("aside.page")
    local drawn = vim.api.nvim_buf_get_extmarks(page.buffer, namespace, 0, -1, { details = true })
    table.insert(noted, { kind = kind, drawn = vim.inspect(drawn[1] and drawn[1][4].virt_lines) })
  end
  for _, question in ipairs({ "Where is load_items defined?", "And parse_price?" }) do
    events, said = {}, {}
    vim.cmd("Aside follow-up " .. question)
    local finish = wait_for_end(question)
    check(finish.outcome == "shown" and finish.action == "follow-up", "a question is answered", finish)
    check(vim.startswith(page_text(), explained), "what stood there stays", page_text())
    check(page_text():find(question, 1, true) ~= nil, "the question stands below it", page_text())
    explained = page_text()
  end
  check(explained:find("def load_items", 1, true) ~= nil, "and the answers below the questions", explained)
  check(explained:find("def parse_price", 1, true) ~= nil, "each in its turn", explained)
  check(#vim.api.nvim_list_wins() == 2, "in the one window", vim.api.nvim_list_wins())
  check(
    vim.iter(noted):any(function(one)
      return one.kind == "tool" and one.drawn:find("· looks for `load_items`", 1, true) ~= nil
    end),
    "what is looked at stands below them meanwhile",
    noted
  )
  Page.note = note

  on_selection("restock_report", "Aside ask Where is load_items defined?")
  local finish = wait_for_end("ask")
  check(finish.outcome == "shown" and page_text():find("def load_items", 1, true) ~= nil, "a question is read", finish)
  on_selection("restock_report", "Aside ask Add nothing")
  finish = wait_for_end("ask for a change")
  check(finish.outcome == "applied", "a wish is an edit", finish)
  check(text(source):find("# Simulated: Add nothing\ndef restock_report", 1, true) ~= nil, "which landed", text(source))
  vim.api.nvim_set_current_win(code)
  vim.cmd("silent undo")
  check(text(source) == original, "one undo takes it back", text(source))
end

local function main()
  check(vim.fn.exists(":Aside") == 2, "`:Aside` is there")
  wait("the server to attach", function()
    return #vim.lsp.get_clients({ bufnr = source, name = "aside" }) == 1
  end)
  local original = text(source)
  explains(original)
  talks(original)
  types_meanwhile(original)
  edits(original)
  cancels(original)
  previews(original)
  menus()
  mends(original)
  reviews(original)
  selections()
  pages()
  local client = assert(require("aside.server").client(source))
  client:stop()
  wait("the server to stop", function()
    return client:is_stopped() and require("aside").status() == ""
  end)
  check(true, "the status line is empty without a server")
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
