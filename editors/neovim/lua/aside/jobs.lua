--- Running jobs: how they are started, and where their output goes.

local config = require("aside.config")
local page = require("aside.page")
local progress = require("aside.progress")
local server = require("aside.server")
local window = require("aside.window")

local M = {}

---@class aside.Job
---@field id string
---@field action? string
---@field title string
---@field page? aside.Page
---@field reads boolean whether its answer is to be read rather than applied
---@field begun? boolean
---@field ended? boolean
---@field held string[] text that came before it was known what the job is

---@type table<string, aside.Job>
local jobs = {}

--- The page that a question was just asked about: the answer belongs there.
---@type aside.Page?
local asked

--- Announces something to `User` autocommands.
---@param pattern string
---@param data table
local function announce(pattern, data)
  vim.api.nvim_exec_autocmds("User", { pattern = pattern, modeline = false, data = data })
end

---@param id string
---@return aside.Job
local function job_of(id)
  jobs[id] = jobs[id] or { id = id, title = "", reads = false, held = {} }
  return jobs[id]
end

--- Whether the answer of an action is text for the reader. Nil: that shows when it comes.
---@param id string
---@return boolean
local function is_read(id)
  local action = server.action(id)
  -- What asks freely may answer with an edit, which takes the page away again.
  return action == nil and id == "explain"
    or action ~= nil
      and not vim.list_contains({ "edit", "tests", "new-file", "diagnostics", "control" }, action.result)
end

---@param job aside.Job
---@param client_id integer
local function open(job, client_id)
  if not job.page then
    job.page = page.new(job.title)
    job.page.client_id = client_id
  end
  job.page.job, job.page.running = job.id, not job.ended
  job.page:entitle(job.title)
  for _, text in ipairs(job.held) do
    job.page:append(text)
  end
  job.held = {}
  window.show(job.page)
end

--- Sends `aside.run` (or `aside.followUp`) and takes in which job that is.
---@param client vim.lsp.Client
---@param command string
---@param argument table
---@param context { action: string, reads: boolean, buffer?: integer, page?: aside.Page }
local function send(client, command, argument, context)
  server.execute(client, command, argument, function(result)
    local id = type(result) == "table" and result.job
    if not id then
      return
    end
    local job = job_of(id)
    job.action, job.reads, job.page = context.action, context.reads, job.page or context.page
    if argument.range and context.buffer then
      progress.place(id, context.buffer, argument.range.start.line)
    end
    announce("AsideStart", { job = id, action = context.action, buffer = context.buffer })
    -- Before the first attempt there is nothing to read, and what fails before it is said in a message.
    if job.reads and job.begun then
      open(job, client.id)
    end
  end, context.buffer)
end

--- Runs `aside.run` with these arguments, after asking for words where the action needs them.
---@param client vim.lsp.Client
---@param argument table
---@param buffer integer
---@param ask? boolean ask for words in any case
local function run(client, argument, buffer, ask)
  local function go()
    send(client, "aside.run", argument, { action = argument.action, reads = is_read(argument.action), buffer = buffer })
  end
  if (argument.action == "ask" or ask) and not argument.prompt then
    vim.ui.input({ prompt = "Aside, " .. argument.action .. ": " }, function(words)
      if words and vim.trim(words) ~= "" then
        argument.prompt = words
        -- The text may have changed while the words were written.
        argument.version = vim.lsp.util.buf_versions[buffer]
        go()
      end
    end)
  else
    go()
  end
end

--- The cursor's place as an empty range: the server takes what is around it.
---@param client vim.lsp.Client
---@return lsp.Range
local function cursor_range(client)
  local position = vim.lsp.util.make_position_params(0, server.encoding(client)).position
  return { start = position, ["end"] = position }
end

--- Starts an action on a range of the current buffer, or on what is around the cursor.
---@param action string
---@param options { prompt?: string, range?: lsp.Range, ask?: boolean }
function M.start(action, options)
  local client = server.attached()
  if not client then
    return
  end
  local actions = server.actions()
  if #actions > 0 and not server.action(action) then
    -- It may be one of the user's own that was written, or allowed, a moment ago.
    actions = server.actions(true)
  end
  if #actions > 0 and not server.action(action) then
    local ids = vim.tbl_map(function(known)
      return known.id
    end, actions)
    local near = config.nearest(action, ids)
    local help = near and ("did you mean `%s`?"):format(near) or ("there are: %s"):format(table.concat(ids, ", "))
    server.say(("there is no action `%s`; %s"):format(action, help), vim.log.levels.ERROR)
    return
  end
  local buffer = vim.api.nvim_get_current_buf()
  run(client, {
    action = action,
    uri = vim.uri_from_bufnr(buffer),
    range = options.range or cursor_range(client),
    version = vim.lsp.util.buf_versions[buffer],
    prompt = options.prompt,
    diagnostics = M.diagnostics(buffer, options.range),
  }, buffer, options.ask)
end

--- `aside.run` out of the editor's own menu.
---@param command lsp.Command
---@param context lsp.HandlerContext
function M.on_command(command, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  local argument = command.arguments and command.arguments[1]
  if client and type(argument) == "table" then
    run(client, vim.deepcopy(argument), context.bufnr or vim.api.nvim_get_current_buf())
  end
end

--- The menu of what can be done here.
---@param range? lsp.Range
function M.menu(range)
  local client = server.attached()
  if not client then
    return
  end
  local buffer = vim.api.nvim_get_current_buf()
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(buffer) },
    range = range or cursor_range(client),
    context = {
      diagnostics = M.diagnostics(buffer, range),
      triggerKind = vim.lsp.protocol.CodeActionTriggerKind.Invoked,
    },
  }
  client:request("textDocument/codeAction", params, function(problem, result)
    if problem then
      server.say(server.sentence(problem), vim.log.levels.ERROR)
      return
    end
    if not result or #result == 0 then
      server.say("there is nothing to do here")
      return
    end
    vim.ui.select(result, {
      prompt = "Aside",
      kind = "codeaction",
      format_item = function(item)
        return item.title
      end,
    }, function(item)
      if not item then
        return
      end
      if item.edit then
        vim.lsp.util.apply_workspace_edit(item.edit, server.encoding(client))
      end
      -- A command by itself, or the command of an action.
      local command = type(item.command) == "table" and item.command or type(item.command) == "string" and item
      if command then
        client:exec_cmd(command, { bufnr = buffer })
      end
    end)
  end, buffer)
end

--- What a place in a buffer is for the server.
---@param buffer integer
---@param line integer
---@param column integer the byte in the line
---@return lsp.Position
local function position(buffer, line, column)
  local client = server.client(buffer)
  local encoding = client and server.encoding(client) or "utf-8"
  local content = vim.api.nvim_buf_get_lines(buffer, line, line + 1, false)[1] or ""
  return { line = line, character = vim.str_utfindex(content, encoding, math.min(column, #content), false) }
end

--- The diagnostics in the lines of a range, whoever made them, for actions that mend something. Servers count
--- characters in different ways, and linters that are no servers send nothing, so places are as the editor has them.
---@param buffer integer
---@param range? lsp.Range
---@return lsp.Diagnostic[]
function M.diagnostics(buffer, range)
  local cursor = vim.api.nvim_win_get_cursor(0)[1] - 1
  local first = range and range.start.line or cursor
  local last = range and range["end"].line or cursor
  local found = {}
  for _, diagnostic in ipairs(vim.diagnostic.get(buffer)) do
    local last_line = diagnostic.end_lnum or diagnostic.lnum
    if diagnostic.lnum <= last and last_line >= first then
      local sent = diagnostic.user_data and diagnostic.user_data.lsp
      ---@type lsp.Diagnostic
      local one = sent and vim.deepcopy(sent)
        or {
          message = diagnostic.message,
          severity = diagnostic.severity --[[@as lsp.DiagnosticSeverity]],
          source = diagnostic.source,
          code = diagnostic.code,
        }
      one.range = {
        start = position(buffer, diagnostic.lnum, diagnostic.col),
        ["end"] = position(buffer, last_line, diagnostic.end_col or diagnostic.col),
      }
      table.insert(found, one)
    end
  end
  return found
end

--- Neovim's own menu tells a server only of the diagnostics that this server made. What Aside mends is others'.
---@param client vim.lsp.Client
local function widen(client)
  local request = client.request
  ---@diagnostic disable-next-line: duplicate-set-field
  client.request = function(self, method, params, handler, buffer)
    if method == "textDocument/codeAction" and params and params.context then
      local about = (buffer and buffer ~= 0) and buffer or vim.api.nvim_get_current_buf()
      params = vim.tbl_extend("force", params, {
        context = vim.tbl_extend("force", params.context, { diagnostics = M.diagnostics(about, params.range) }),
      })
    end
    return request(self, method, params, handler, buffer)
  end
end

--- Widens Neovim's menu for every server of Aside's that starts.
function M.listen()
  local widened = {} ---@type table<integer, boolean>
  vim.api.nvim_create_autocmd("LspAttach", {
    group = vim.api.nvim_create_augroup("aside.menu", {}),
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == "aside" and not widened[client.id] then
        widened[client.id] = true
        widen(client)
      end
    end,
  })
end

--- Asks on about a page.
---@param about? aside.Page
---@param question? string
function M.follow_up(about, question)
  local client = about and about.client_id and vim.lsp.get_client_by_id(about.client_id) or server.client()
  if not about or not client then
    server.say("there is no explanation to ask about", vim.log.levels.WARN)
    return
  end
  if not server.has_command(client, "aside.followUp") then
    server.say("this version of the server takes no further questions", vim.log.levels.WARN)
    return
  end
  if about.running then
    server.say("the answer is still being written", vim.log.levels.WARN)
    return
  end
  local uri = about.uri or about.job and ("aside-explain:/%s.md"):format(about.job)
  local function go(words)
    if not words or vim.trim(words) == "" or not uri then
      return
    end
    about:ask(words)
    about.footer = nil
    asked = about
    send(client, "aside.followUp", { uri = uri, prompt = words }, { action = "follow-up", reads = true, page = about })
  end
  if question and vim.trim(question) ~= "" then
    go(question)
  else
    vim.ui.input({ prompt = "Ask about it: " }, go)
  end
end

--- What a usage object cost, in a few words.
---@param usage? table
---@return string?
local function bill(usage)
  return usage and require("aside.status").bill(usage)
end

--- The output of a job, part by part.
---@param params table
---@param context lsp.HandlerContext
function M.on_stream(params, context)
  local job = job_of(params.job)
  local kind = params.kind
  if kind == "begin" then
    job.title = params.title or job.title
    job.action = params.action or job.action
    job.held = {}
    job.begun = true
    if params.uri and params.range then
      local buffer = vim.fn.bufnr(vim.uri_to_fname(params.uri))
      if buffer > 0 then
        progress.place(job.id, buffer, params.range.start.line)
      end
    end
    -- Also what the server started by itself, such as another try.
    job.reads = job.reads or params.result == "explain"
    if params.action == "follow-up" then
      job.page, asked = job.page or asked, nil
    end
    if job.page then
      job.page:restart()
    end
    if job.reads and not (job.page and job.page.running) then
      open(job, context.client_id)
    elseif job.page then
      job.page:entitle(job.title)
      window.refresh()
    end
  elseif kind == "text" then
    if job.page then
      job.page:append(params.text)
    else
      table.insert(job.held, params.text)
    end
  elseif kind == "tool" or kind == "thinking" then
    if job.page and params.text then
      job.page:note(kind, params.text)
    end
  elseif kind == "edit" and job.page and job.page.running then
    -- Asked freely, and the answer is a change: the code is the place to look.
    job.page:replace({ "The answer is a change of the code." })
  elseif kind == "end" then
    M.finish(job, params, context)
  end
end

---@param job aside.Job
---@param params table
---@param _ lsp.HandlerContext
function M.finish(job, params, _)
  job.ended = true
  if job.page then
    job.page:unnote()
    job.page:flush()
    job.page.running = false
    job.page.footer = bill(params.usage)
    if params.outcome == "cancelled" then
      job.page:append("\n\n*Cancelled.*\n")
    elseif params.outcome == "failed" and params.error then
      job.page:append(("\n\n*%s*\n"):format(server.sentence({ message = params.error.message, data = params.error })))
    end
    window.refresh()
  end
  progress.outcome(job.id, params.outcome, bill(params.usage))
  require("aside.preview").clear(job.id)
  local data =
    { job = job.id, action = job.action, outcome = params.outcome, usage = params.usage, error = params.error }
  announce("AsideEnd", data)
  -- Its document is shown a moment later.
  vim.defer_fn(function()
    jobs[job.id] = nil
  end, 120000)
end

--- The server wants a document to be seen. Explanations go to the window, or are there already.
---@param problem? lsp.ResponseError
---@param params lsp.ShowDocumentParams
---@param context lsp.HandlerContext
---@return any
function M.on_show_document(problem, params, context)
  local path = params.uri:match("^file:") and vim.uri_to_fname(params.uri) or ""
  local name = vim.fs.basename(path)
  local ours = name:match("%.md$") and vim.fs.basename(vim.fs.dirname(path) or "") == "explanations"
  if not ours then
    return vim.lsp.handlers["window/showDocument"](problem, params, context)
  end
  for id, job in pairs(jobs) do
    if job.page and name:find("-" .. id .. ".md", 1, true) then
      job.page.uri = params.uri
      return { success = true }
    end
  end
  local read, lines = pcall(vim.fn.readfile, path)
  if not read then
    return { success = false }
  end
  ---@cast lines string[]
  local title = (lines[1] or name):gsub("^#+ *", ""):gsub("`", "")
  local fresh = page.new(title)
  fresh.uri, fresh.client_id = params.uri, context.client_id
  fresh:replace(lines)
  window.show(fresh)
  return { success = true }
end

--- The running jobs, newest first, as the server says.
---@return { job: string, title: string }[]
function M.running()
  local status = require("aside.status").data()
  return status and vim.iter(status.running or {}):rev():totable() or {}
end

--- Cancels what runs; when there are several, one that the user picks, or all.
---@param all boolean
function M.cancel(all)
  local client = server.client(vim.api.nvim_get_current_buf())
  local running = M.running()
  if not client or #running == 0 then
    server.say("nothing is running")
    return
  end
  if all or #running == 1 then
    server.execute(client, "aside.cancel", all and {} or { job = running[1].job })
    return
  end
  vim.ui.select(running, {
    prompt = "Cancel",
    format_item = function(item)
      return item.title
    end,
  }, function(item)
    if item then
      server.execute(client, "aside.cancel", { job = item.job })
    end
  end)
end

--- The server is gone, and what it was doing with it.
function M.forget()
  for _, job in pairs(jobs) do
    if job.page then
      job.page.running = false
    end
  end
  jobs = {}
  window.refresh()
end

return M
