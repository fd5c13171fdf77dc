--- `:Aside`: an action of the server with a range and words of the user's, or a word of the plugin's own.

local server = require("aside.server")

local M = {}

---@class aside.Word
---@field help string
---@field run fun(command: vim.api.keyset.create_user_command.command_args, words: string)

local function open_file(path)
  vim.cmd.split(vim.fn.fnameescape(path))
  vim.cmd.normal({ "G", bang = true })
end

---@type table<string, aside.Word>
local words = {
  accept = {
    help = "apply the proposed edit",
    run = function()
      require("aside.preview").decide(true)
    end,
  },
  reject = {
    help = "drop the proposed edit; with ! ask again for what was kept",
    run = function(command)
      require("aside.preview").decide(false, command.bang)
    end,
  },
  preview = {
    help = "go to the proposed edit",
    run = function()
      require("aside.preview").visit()
    end,
  },
  cancel = {
    help = "cancel what runs; with ! all of it",
    run = function(command)
      require("aside.jobs").cancel(command.bang)
    end,
  },
  usage = {
    help = "tokens, cache hits and money",
    run = function()
      local client = server.client(vim.api.nvim_get_current_buf())
      if not client then
        server.say(server.absence(), vim.log.levels.ERROR)
        return
      end
      server.execute(client, "aside.usage", nil, function(usage)
        local page = require("aside.page").new("What Aside used")
        page:replace(require("aside.status").page(usage))
        require("aside.window").dialog(page)
      end)
    end,
  },
  explanation = {
    help = "the last explanation again; or the one with this id",
    run = function(_, id)
      local client = server.client(vim.api.nvim_get_current_buf())
      if id ~= "" and client then
        server.execute(client, "aside.showExplanation", { id = id })
      elseif not require("aside.window").again() then
        server.say("nothing was explained yet")
      end
    end,
  },
  ["follow-up"] = {
    help = "ask on about the explanation",
    run = function(_, question)
      local window = require("aside.window")
      local about = window.page_of(vim.api.nvim_get_current_buf()) or window.page()
      require("aside.jobs").follow_up(about, question)
    end,
  },
  messages = {
    help = "what the server said, whole",
    run = function()
      local page = require("aside.page").new("What Aside said")
      local lines = require("aside.messages").all()
      page:replace(#lines > 0 and lines or { "Nothing yet." })
      require("aside.window").dialog(page)
    end,
  },
  log = {
    help = "the server's log",
    run = function()
      local own = server.log_file()
      if require("aside.config").options.log_level and vim.fn.filereadable(own) == 1 then
        open_file(own)
      else
        open_file(vim.lsp.log.get_filename())
      end
    end,
  },
}

--- The selection as the protocol has it: characterwise when it was made so, else whole lines.
---@param command vim.api.keyset.create_user_command.command_args
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return lsp.Range?
function M.range(command, encoding)
  if command.range == 0 then
    return nil
  end
  local first, last = { command.line1, 0 }, { command.line2, vim.v.maxcol }
  local from, to = vim.fn.getpos("'<"), vim.fn.getpos("'>")
  -- The marks count only when they are what the range came from.
  if vim.fn.visualmode() == "v" and from[2] == command.line1 and to[2] == command.line2 then
    first[2], last[2] = from[3] - 1, to[3] - 1
  end
  local line = vim.api.nvim_buf_get_lines(0, last[1] - 1, last[1], false)[1] or ""
  last[2] = math.max(math.min(last[2], #line - 1), 0)
  return vim.lsp.util.make_given_range_params(first, last, 0, encoding).range
end

---@param command vim.api.keyset.create_user_command.command_args
function M.execute(command)
  local name, rest = vim.trim(command.args):match("^(%S*)%s*(.*)$")
  name, rest = name or "", rest or ""
  if words[name] then
    words[name].run(command, rest)
    return
  end
  local client = server.attached()
  if not client then
    return
  end
  local range = M.range(command, server.encoding(client))
  if name == "" then
    require("aside.jobs").menu(range)
  else
    require("aside.jobs").start(name, {
      prompt = rest ~= "" and rest or nil,
      range = range,
      ask = command.bang,
    })
  end
end

--- The plugin's own words.
---@return string[]
function M.words()
  local names = vim.tbl_keys(words)
  table.sort(names)
  return names
end

--- Completes the first word.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  if line:match("Aside!?%s+%S+%s") then
    return {}
  end
  local names = M.words()
  for _, action in ipairs(server.actions()) do
    if not words[action.id] then
      table.insert(names, action.id)
    end
  end
  table.sort(names)
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, names)
end

return M
