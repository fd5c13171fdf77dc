-- The plugin's pure parts, in Neovim itself: nvim --clean --headless -u NONE --cmd 'set rtp^=…' -l unit.lua
-- Prints a line per check that fails, and `N passed, N failed`.

local passed, failed = 0, 0

local function same(name, got, wanted)
  if vim.deep_equal(got, wanted) then
    passed = passed + 1
  else
    failed = failed + 1
    print(("not ok - %s\n  got    %s\n  wanted %s"):format(name, vim.inspect(got), vim.inspect(wanted)))
  end
end

local said = {}
vim.notify = function(text)
  table.insert(said, text)
end

-- Options: a bad one loses only itself, and what is said names the nearest.
local config = require("aside.config")
local options, problems = config.resolve({
  simulated = true,
  window = { layout = "left", size = 0.5, entre = true },
  progress = "popup",
  keymaps = { explain = 1 },
  cmd = {},
  env = { A = "b" },
})
same("a wrong layout keeps the default", options.window.layout, "auto")
same("what is right beside it is taken", options.window.size, 0.5)
same("a table of strings", options.env, { A = "b" })
same("the program stays", options.cmd, { "aside" })
same("what is wrong, in order", problems, {
  "`cmd` must be a list of strings that is not empty, not {}",
  "`keymaps` must be a table of strings by name, not {\n  explain = 1\n}",
  '`progress` must be one of "inline", "echo", "notify", false, not "popup"',
  "there is no option `simulated`: did you mean `simulate`?",
  "there is no option `window.entre`: did you mean `window.enter`?",
  '`window.layout` must be one of "auto", "right", "below", "float", not "left"',
})
same("no table at all", { select(2, config.resolve("x")) }, { { 'options must be a table, not "x"' } })
same("nothing is wrong with nothing", select(2, config.resolve({})), {})
same("false is an answer", config.resolve({ progress = false }).progress, false)
same("a word that is near", config.nearest("expalin", { "explain", "document" }), "explain")
same("a word that is far", config.nearest("translate", { "explain", "document" }), nil)

-- The command line.
local server = require("aside.server")
for _, case in ipairs({
  { {}, { "aside", "serve" } },
  { { simulate = true }, { "aside", "serve", "--simulate" } },
  { { cmd = { "/x/aside" } }, { "/x/aside", "serve" } },
  { { cmd = { "env", "A=1", "aside", "serve", "--stdio" } }, { "env", "A=1", "aside", "serve", "--stdio" } },
  { { log_level = "debug" }, { "aside", "serve", "--log", server.log_file(), "--log-level", "debug" } },
}) do
  config.set(case[1])
  same("command of " .. vim.inspect(case[1]), server.command(), case[2])
end
config.set({ cmd = { "env", "A=1", "aside", "serve", "--stdio" } })
same("the program without its subcommand", server.program("actions"), { "env", "A=1", "aside", "actions" })
config.set({ preview = true, settings = { model = "m", edits = { assumeApply = true } } })
same("preview is a setting", server.settings(), { model = "m", edits = { assumeApply = true, confirm = "preview" } })
config.set({ preview = true, settings = { edits = { confirm = "never" } } })
same("a setting said in so many words wins", server.settings().edits.confirm, "never")
config.set({ nonsense = 1 })
same("problems are said", said, { "Aside: there is no option `nonsense`" })
same("and kept for checkhealth", config.problems, { "there is no option `nonsense`" })
config.set({})
same(
  "what is announced",
  server.preset().capabilities.experimental.aside,
  { stream = true, status = true, preview = true, prompt = true }
)

-- Differences.
local preview = require("aside.preview")
same("a line changes", preview.hunks({ "a", "b", "c" }, { "a", "x", "c" }), {
  { row = 1, deleted = { "b" }, added = { "x" } },
})
same("lines come in the middle", preview.hunks({ "a", "b" }, { "a", "x", "y", "b" }), {
  { row = 1, deleted = {}, added = { "x", "y" } },
})
same("a line comes first", preview.hunks({ "a" }, { "x", "a" }), { { row = 0, deleted = {}, added = { "x" } } })
same("a line goes", preview.hunks({ "a", "b" }, { "b" }), { { row = 0, deleted = { "a" }, added = {} } })
same("nothing changes", preview.hunks({ "a" }, { "a" }), {})
for _, case in ipairs({
  { "def f(a):", "def f(a: int):", { 7, 7 }, { 7, 12 } },
  { "aa", "aaa", { 2, 2 }, { 2, 3 } },
  { "x", "y", { 0, 1 }, { 0, 1 } },
  { "“a”", "“b”", { 3, 4 }, { 3, 4 } },
  { "ä", "ö", { 0, 2 }, { 0, 2 } },
  { "same", "same", { 4, 4 }, { 4, 4 } },
}) do
  local old, new = preview.changed_part(case[1], case[2])
  same(("what changes from %s to %s"):format(case[1], case[2]), { old, new }, { case[3], case[4] })
end
same(
  "text edits of UTF-16",
  preview.edited({ "😀 = 1", "b" }, {
    {
      range = { start = { line = 0, character = 5 }, ["end"] = { line = 0, character = 6 } },
      newText = "2\nnew",
    },
  }, "utf-16"),
  { "😀 = 2", "new", "b" }
)

-- Words and numbers.
local status = require("aside.status")
same("no server", status.text(), "")
for _, case in ipairs({
  { 0, "$0.00" },
  { 0.00234, "$0.0023" },
  { 0.5, "$0.5000" },
  { 12.345, "$12.35" },
  { vim.NIL, "$?" },
  { nil, "$?" },
}) do
  same("dollars of " .. vim.inspect(case[1]), status.dollars(case[1]), case[2])
end
same("a negative saving", status.dollars(-0.0023), "-$0.0023")
same("counts", { status.count(7), status.count(1234), status.count(2500000) }, { "7", "1.2k", "2.5M" })
local events = {}
vim.api.nvim_create_autocmd("User", {
  pattern = "AsideStatus",
  callback = function(event)
    table.insert(events, event.data)
  end,
})
status.on_status({ running = {}, day = { requests = 0 } })
same("nothing was used", status.text(), "Aside")
status.on_status({
  running = { { job = "1", title = "Explain `f`" } },
  day = { requests = 2, costUsd = 0.0123, cacheHitRate = 0.914 },
  simulated = true,
})
same("something runs", status.text(), "● Explain f · $0.0123 today · 91% from cache · simulated")
same("escaped", require("aside").status({ escape = true }):match("91%%+"), "91%%")
status.on_status({ running = { {}, {} }, day = { requests = 1, costUsd = vim.NIL, cacheHitRate = 0 } })
same("several run", status.text(), "● 2 running · $? today · 0% from cache")
same("each state is an event", #events, 3)
status.on_status(nil)
same("a table", status.aligned({ "| a | bb |", "|---|---:|", "| ccc | 1 |" }), {
  "| a   |  bb |",
  "| --- | --: |",
  "| ccc |   1 |",
})

-- Messages.
local messages = require("aside.messages")
same("short enough", messages.cut("abc", 3), "abc")
same("too long", messages.cut("abcdef", 4), "abc…")
same("wide letters", messages.cut("漢字漢字", 5), "漢字…")

-- Pages: many parts, one frame.
local function text(page)
  return vim.api.nvim_buf_get_lines(page.buffer, 0, -1, false)
end
local page = require("aside.page").new("A `page`")
same("of a type of its own", vim.bo[page.buffer].filetype, "aside")
local ticks = vim.api.nvim_buf_get_changedtick(page.buffer)
for index = 1, 200 do
  page:append(index % 10 == 0 and "word\n" or "word ")
end
same("nothing is written before the frame", vim.api.nvim_buf_get_changedtick(page.buffer), ticks)
vim.wait(2000, function()
  return #text(page) == 21
end, 1)
same("all of it is", #text(page), 21)
same("in one change", vim.api.nvim_buf_get_changedtick(page.buffer), ticks + 1)
page:restart()
same("an attempt is void", text(page), { "" })
page:append("answer")
page:ask("why?\nreally?")
same("a question stands below", text(page), { "answer", "", "---", "", "> why?", "> really?", "", "" })
page:append("because")
page:flush()
page:restart()
page:append("so")
page:flush()
same("only the last attempt is void", { text(page)[1], text(page)[8], text(page)[9] }, { "answer", "so", nil })

-- Line ends of Windows are line ends.
page:restart()
page.base = 0
page:replace({ "a\r", "b" })
page:append("c\r")
page:append("\nd")
page:flush()
same("no other half of a line's end is shown", text(page), { "a", "bc", "d" })

-- What is done until the answer comes stands below it.
local function notes()
  local marks = vim.api.nvim_buf_get_extmarks(page.buffer, vim.api.nvim_create_namespace("aside.page"), 0, -1, {
    details = true,
  })
  return marks[1] and vim.tbl_map(function(line)
    return line[1][1]
  end, marks[1][4].virt_lines) or {}
end
page:restart()
page:note("thinking", "first ")
page:note("thinking", ("word "):rep(200))
page:flush()
same("the newest lines of the thinking", { #notes(), vim.fn.strdisplaywidth(notes()[1]) <= 78 }, { 6, true })
page:note("tool", "reads a.py")
page:restart()
page:note("tool", "looks for b")
page:note("thinking", "so it is")
page:flush()
same("what was looked at, and what is thought of it", notes(), { "· reads a.py", "· looks for b", "so it is" })
same("none of it is text", text(page), { "" })
page:append("answer")
page:flush()
same("the answer takes its place", { notes(), text(page) }, { {}, { "answer" } })

-- Following the end: only who is there.
local window = require("aside.window")
local code = vim.api.nvim_get_current_win()
page:replace({ "1", "2", "3" })
window.show(page)
local reader = assert(window.window())
same("the cursor stays in the code", vim.api.nvim_get_current_win(), code)
vim.api.nvim_win_set_cursor(reader, { 3, 0 })
page:append("\n4")
page:flush()
same("who is at the end follows", vim.api.nvim_win_get_cursor(reader), { 4, 0 })
vim.api.nvim_win_set_cursor(reader, { 2, 0 })
page:append("\n5")
page:flush()
same("who reads stays", vim.api.nvim_win_get_cursor(reader), { 2, 0 })
vim.api.nvim_win_set_cursor(reader, { 5, 0 })
page:replace(vim.fn["repeat"]({ "line" }, 200))
vim.api.nvim_win_set_cursor(reader, { 200, 0 })
vim.cmd.redraw()
page:note("tool", "reads a.py")
page:note("tool", "reads b.py")
page:flush()
local height = vim.api.nvim_win_text_height(reader, { start_row = vim.fn.line("w0", reader) - 1, end_row = 199 }).all
same("below a long text there is room for it", height <= vim.api.nvim_win_get_height(reader), true)
window.close()
same("closed", window.is_open(), false)
for _, layout in ipairs({ "right", "below", "float" }) do
  config.set({ window = { layout = layout } })
  window.show(page)
  same(layout .. " leaves the cursor", vim.api.nvim_get_current_win(), code)
  same(
    layout .. " floats or not",
    vim.api.nvim_win_get_config(assert(window.window())).relative ~= "",
    layout == "float"
  )
  window.close()
end
same("again goes there", window.again(), true)
same("that window is the current one", vim.api.nvim_get_current_win(), window.window())
window.close()

-- Jobs, with a server that is made up.
local jobs = require("aside.jobs")
local sent, answer = {}, {}
---@diagnostic disable: duplicate-set-field
local client = { id = 1, offset_encoding = "utf-8", server_capabilities = {} }
server.client = function()
  return client
end
server.attached = server.client
server.actions = function()
  return {
    { id = "explain", result = "explain" },
    { id = "document", result = "edit" },
    { id = "ask", result = "auto" },
  }
end
server.execute = function(_, command, argument, on_result)
  table.insert(sent, { command, argument })
  on_result({ job = answer.job })
end
---@diagnostic enable: duplicate-set-field
local function stream(job, kind, rest)
  jobs.on_stream(vim.tbl_extend("force", { job = job, kind = kind }, rest or {}), { client_id = 1 })
end
local function shown()
  local current = window.page()
  current:flush()
  return current:text()
end

answer.job = "a"
jobs.start("explain", {})
same("what has not begun opens nothing", window.is_open(), false)
stream("a", "end", { outcome = "failed", error = { kind = "credentials", message = "no key" } })
same("nor what fails before that", window.is_open(), false)

answer.job = "b"
jobs.start("explain", {})
stream("b", "begin", { attempt = 1, title = "Explain `f`" })
same("what begins opens the window", window.is_open(), true)
stream("b", "text", { text = "wrong" })
stream("b", "begin", { attempt = 2, title = "Explain `f`" })
stream("b", "text", { text = "right" })
same("another attempt starts anew", shown(), "right")
stream("b", "end", { outcome = "shown", usage = { cacheHitRate = 0.5, costUsd = 0.01 } })
same("what it cost", window.page().footer, "50% from cache · $0.0100")
same("what it is about", window.page().title, "Explain f")

-- The stream may be faster than the answer with the job's id.
stream("c", "begin", { attempt = 1, title = "Explain `g`" })
stream("c", "text", { text = "early" })
stream("c", "end", { outcome = "shown" })
answer.job = "c"
jobs.start("explain", {})
same("nothing of it is lost", shown(), "early")
same("and it has ended", window.page().running, false)

-- An edit, and a question that is answered by one.
window.close()
answer.job = "d"
jobs.start("document", {})
stream("d", "begin", { attempt = 1, title = "Document `f`" })
stream("d", "text", { text = "code" })
same("an edit opens no window", window.is_open(), false)
stream("d", "end", { outcome = "applied" })
answer.job = "e"
jobs.start("ask", { prompt = "make it faster" })
same("words go along", sent[#sent][2].prompt, "make it faster")
stream("e", "begin", { attempt = 1, title = "Ask" })
stream("e", "text", { text = "code" })
stream("e", "edit")
same("an answer that is a change says so", shown(), "The answer is a change of the code.")
stream("e", "end", { outcome = "applied" })

-- What the server started by itself.
stream("f", "begin", { attempt = 1, title = "Explain `h`", action = "explain", result = "explain" })
stream("f", "text", { text = "first" })
stream("f", "end", { outcome = "shown" })
same("it is shown as well", shown(), "first")

-- Further questions.
said = {}
jobs.follow_up(window.page(), "why?")
same("a server that cannot go on", said, { "Aside: this version of the server takes no further questions" })
client.server_capabilities.executeCommandProvider = { commands = { "aside.followUp" } }
window.page().uri = "file:///x.md"
answer.job = "g"
jobs.follow_up(window.page(), "why?")
same(
  "the question goes to the explanation",
  sent[#sent],
  { "aside.followUp", { uri = "file:///x.md", prompt = "why?" } }
)
stream("g", "begin", { attempt = 1, title = "Follow up" })
stream("g", "text", { text = "lost" })
stream("g", "begin", { attempt = 2, title = "Follow up" })
stream("g", "text", { text = "because" })
same("the conversation goes on below", shown(), "first\n\n---\n\n> why?\n\nbecause")
said = {}
jobs.follow_up(window.page(), "and?")
same("one question at a time", said, { "Aside: the answer is still being written" })
stream("g", "end", { outcome = "shown" })
same("then it is over", window.page().running, false)
said = {}
jobs.start("explian", {})
same("a slip of the hand", said, { "Aside: there is no action `explian`; did you mean `explain`?" })
window.close()

-- The manual.
local folder = vim.fn.tempname()
vim.fn.mkdir(folder)
local manual = vim.api.nvim_get_runtime_file("doc/aside.txt", false)[1]
vim.fn.writefile(vim.fn.readfile(manual), folder .. "/aside.txt")
same("helptags finds no fault", { pcall(vim.cmd.helptags, folder) }, { true, "" })
local tags = table.concat(vim.fn.readfile(folder .. "/tags"), "\n")
local doc = table.concat(vim.fn.readfile(manual), "\n")
for link in doc:gmatch("|(aside[^|%s]*)|") do
  same("the tag " .. link .. " exists", tags:find(link .. "\taside.txt", 1, true) ~= nil, true)
end
for _, word in ipairs(require("aside.command").words()) do
  same("the manual tells of :Aside " .. word, doc:find("*:Aside-" .. word .. "*", 1, true) ~= nil, true)
end
for _, option in ipairs(config.names()) do
  same("the manual tells of " .. option, doc:find("*aside-" .. option .. "*", 1, true) ~= nil, true)
end

io.write(("%d passed, %d failed\n"):format(passed, failed))
os.exit(failed == 0 and 0 or 1)
