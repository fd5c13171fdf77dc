--- The server: how it is started, found and asked.

local config = require("aside.config")

local M = {}

--- Where the server writes its log, when it does.
---@return string
function M.log_file()
  return vim.fs.joinpath(vim.fn.stdpath("log") --[[@as string]], "aside.log")
end

--- The server's command line.
---@return string[]
function M.command()
  local options = config.options
  local command = vim.list_extend({}, options.cmd)
  -- A whole command line of one's own is taken as it is.
  if not vim.list_contains(command, "serve") then
    table.insert(command, "serve")
  end
  if options.simulate then
    table.insert(command, "--simulate")
  end
  if options.log_level then
    vim.list_extend(command, { "--log", M.log_file(), "--log-level", options.log_level })
  end
  return command
end

--- The program alone, for its other subcommands.
---@param ... string
---@return string[]
function M.program(...)
  local command = {}
  for _, word in ipairs(config.options.cmd) do
    if word == "serve" then
      break
    end
    table.insert(command, word)
  end
  return vim.list_extend(command, { ... })
end

--- The settings of the section `aside`.
---@return table
function M.settings()
  local settings = vim.deepcopy(config.options.settings)
  if config.options.preview then
    settings = vim.tbl_deep_extend("keep", settings, { edits = { confirm = "preview" } })
  end
  return settings
end

--- The configuration for |vim.lsp.config()|.
---@return vim.lsp.Config
function M.preset()
  local settings = M.settings()
  -- Here and not in `on_attach`, which is the user's.
  require("aside.highlights").define()
  require("aside.progress").listen()
  require("aside.jobs").listen()
  return {
    cmd = M.command(),
    cmd_env = config.options.env,
    filetypes = config.options.filetypes,
    root_markers = { ".aside", ".git" },
    init_options = next(settings) and { aside = settings } or nil,
    settings = next(settings) and { aside = settings } or nil,
    capabilities = { experimental = { aside = { stream = true, status = true, preview = true, prompt = true } } },
    handlers = {
      ["aside/stream"] = function(_, params, context)
        require("aside.jobs").on_stream(params, context)
      end,
      ["aside/status"] = function(_, params)
        require("aside.status").on_status(params)
      end,
      ["aside/proposal"] = function(_, params, context)
        require("aside.preview").on_proposal(params, context)
      end,
      ["window/showMessage"] = function(_, params)
        require("aside.messages").on_message(params)
        return vim.NIL
      end,
      ["window/showDocument"] = function(problem, params, context)
        return require("aside.jobs").on_show_document(problem, params, context)
      end,
    },
    commands = {
      ["aside.run"] = function(command, context)
        require("aside.jobs").on_command(command, context)
      end,
    },
    on_exit = vim.schedule_wrap(function()
      require("aside.jobs").forget()
      require("aside.preview").clear_all()
      require("aside.status").on_status(nil)
    end),
  }
end

--- The server of a buffer, or of any.
---@param buffer? integer
---@return vim.lsp.Client?
function M.client(buffer)
  if buffer then
    local client = vim.lsp.get_clients({ name = "aside", bufnr = buffer })[1]
    if client then
      return client
    end
  end
  return vim.lsp.get_clients({ name = "aside" })[1]
end

---@param text string
---@param level? integer
function M.say(text, level)
  vim.notify("Aside: " .. text, level or vim.log.levels.INFO)
end

--- Why there can be no server for the current buffer, in words that help; nil when there can.
---@return string?
local function obstacle()
  local program = config.options.cmd[1]
  if vim.fn.executable(program) == 0 then
    return ("`%s` was not found. Install it, or tell where it is: `cmd` in require('aside').setup. "):format(program)
      .. "More in :checkhealth aside"
  end
  if not vim.lsp.is_enabled("aside") then
    return "the server is not enabled: vim.lsp.enable('aside')"
  end
  if vim.bo.buftype ~= "" then
    return "there is no server for this buffer: it is not a file"
  end
  if vim.bo.filetype == "" then
    return "this file has no type, so Neovim started no server: :set filetype=…"
  end
  ---@type any
  local configs = vim.lsp.config
  local filetypes = configs.aside.filetypes
  if filetypes and not vim.list_contains(filetypes, vim.bo.filetype) then
    return ("`filetypes` leaves out `%s`"):format(vim.bo.filetype)
  end
end

--- Why there is no server, in words that help.
---@return string
function M.absence()
  return obstacle() or "the server is not running. :checkhealth aside says more"
end

--- How long the user's first command may wait for a server that is just starting.
local PATIENCE_MS = 3000

--- The server of the current buffer, or nil after saying why there is none.
---@return vim.lsp.Client?
function M.attached()
  local buffer = vim.api.nvim_get_current_buf()
  local function find()
    return vim.lsp.get_clients({ name = "aside", bufnr = buffer })[1]
  end
  if not find() then
    if vim.g.aside_autostart ~= false and not vim.lsp.is_enabled("aside") then
      vim.lsp.enable("aside")
    end
    if not obstacle() then
      vim.wait(PATIENCE_MS, find, 10)
    end
  end
  local client = find()
  if not client then
    M.say(M.absence(), vim.log.levels.ERROR)
  end
  return client
end

--- An error of the server in one sentence.
---@param problem { message: string, data?: any }
---@return string
function M.sentence(problem)
  local data = problem.data
  local hint = type(data) == "table" and data.hint
  if hint and not problem.message:find(hint, 1, true) then
    return problem.message .. " " .. hint
  end
  return problem.message
end

--- Executes one of the server's commands.
---@param client vim.lsp.Client
---@param command string
---@param argument? table
---@param on_result? fun(result: any) not called when it failed; then the user was told
---@param buffer? integer
function M.execute(client, command, argument, on_result, buffer)
  local params = { command = command, arguments = { argument or vim.empty_dict() } }
  client:request("workspace/executeCommand", params, function(problem, result)
    if problem then
      M.say(M.sentence(problem), vim.log.levels.ERROR)
    elseif on_result then
      on_result(result)
    end
  end, buffer)
end

--- How a server counts characters.
---@param client vim.lsp.Client
---@return "utf-8"|"utf-16"|"utf-32"
function M.encoding(client)
  return client.offset_encoding --[[@as "utf-8"|"utf-16"|"utf-32"]]
end

--- Whether the server has a command.
---@param client vim.lsp.Client
---@param command string
---@return boolean
function M.has_command(client, command)
  local provider = client.server_capabilities and client.server_capabilities.executeCommandProvider
  return vim.list_contains(provider and provider.commands or {}, command)
end

---@class aside.Action
---@field id string
---@field title string
---@field summary string
---@field kind string
---@field result string `explain`, `edit`, `tests`, …
---@field enabled boolean

---@type table<string, aside.Action[]>
local known = {}

--- Which actions there are here, as the program says. Asked once for each folder, and anew when told to.
---@param anew? boolean
---@return aside.Action[]
function M.actions(anew)
  local client = M.client(vim.api.nvim_get_current_buf())
  local folder = client and client.root_dir or vim.fn.getcwd()
  if anew or not known[folder] then
    local started, process = pcall(vim.system, M.program("actions", "--json"), {
      cwd = folder,
      text = true,
      env = config.options.env,
    })
    local done = started and process:wait(2000)
    local decoded, actions = pcall(vim.json.decode, done and done.stdout or "")
    if not decoded or type(actions) ~= "table" then
      return {}
    end
    known[folder] = vim.tbl_filter(function(action)
      return action.enabled ~= false
    end, actions)
  end
  return known[folder]
end

---@param id string
---@return aside.Action?
function M.action(id)
  return vim.iter(M.actions()):find(function(action)
    return action.id == id
  end)
end

return M
