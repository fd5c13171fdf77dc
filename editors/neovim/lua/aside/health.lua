--- `:checkhealth aside`

local config = require("aside.config")
local server = require("aside.server")

local M = {}

--- How long the program may think about itself. It asks the network when there is a key.
local PATIENCE_MS = 8000

---@param command string[]
---@return vim.SystemCompleted?
local function run(command)
  local started, process = pcall(vim.system, command, { text = true, env = config.options.env, timeout = PATIENCE_MS })
  return started and process:wait() or nil
end

---@return boolean
local function check_program()
  local health = vim.health
  local program = config.options.cmd[1]
  local path = vim.fn.exepath(program)
  if path == "" then
    health.error(("`%s` was not found"):format(program), {
      "Install it: cargo install --path . in a clone of the repository.",
      "Or tell where it is: require('aside').setup({ cmd = { '/path/to/aside' } })",
    })
    return false
  end
  local version = run(server.program("--version"))
  if not version or version.code ~= 0 then
    health.error(("%s does not run"):format(path), { version and version.stderr or "It could not be started." })
    return false
  end
  health.ok(("%s: %s"):format(vim.trim(version.stdout or ""), path))
  return true
end

local function check_doctor()
  local health = vim.health
  local command = server.program("doctor", "--json")
  if config.options.simulate or vim.list_contains(config.options.cmd, "--simulate") then
    table.insert(command, "--simulate")
  end
  local done = run(command)
  local decoded, report = pcall(vim.json.decode, done and done.stdout or "")
  if not decoded or type(report) ~= "table" then
    health.warn("`aside doctor` did not answer", { "Run it in a terminal." })
    return
  end
  for _, check in ipairs(report.checks or {}) do
    local text = ("%s: %s"):format(check.name, check.message)
    local advice = type(check.hint) == "string" and { check.hint } or nil ---@type any
    if check.status == "failed" then
      health.error(text, advice)
    elseif check.status == "warning" then
      health.warn(text, advice)
    elseif check.status == "ok" then
      health.ok(text)
    else
      health.info(text)
    end
  end
end

local function check_server()
  local health = vim.health
  local clients = vim.lsp.get_clients({ name = "aside" })
  if #clients == 0 then
    if vim.lsp.is_enabled("aside") then
      health.info("The server is not running: it starts with the first file that has a type.")
    else
      health.warn("The server is not enabled", { "vim.lsp.enable('aside'), or leave `autostart` on." })
    end
    return
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    local root = client.root_dir or "no project"
    health.ok(("The server is running: %s, %d buffer%s"):format(root, buffers, buffers == 1 and "" or "s"))
    local announced = vim.tbl_get(client.capabilities or {}, "experimental", "aside", "stream")
    if not announced then
      health.warn("Answers do not stream into the window", {
        "`capabilities` of vim.lsp.config('aside') hides what lsp/aside.lua announces.",
      })
    end
  end
end

function M.check()
  local health = vim.health
  health.start("Neovim")
  if vim.fn.has("nvim-0.11") == 1 then
    health.ok(vim.fn.execute("version"):match("NVIM v(%S+)") or "")
  else
    health.error("Neovim 0.11 or later is needed")
  end
  if #vim.api.nvim_get_runtime_file("parser/markdown.*", false) > 0 then
    health.ok("Explanations are highlighted by tree-sitter")
  else
    health.info("There is no tree-sitter parser for Markdown: explanations are shown without colours")
  end

  health.start("Options")
  if #config.problems == 0 then
    health.ok("All are good")
  end
  for _, problem in ipairs(config.problems) do
    health.error(problem, { "See :help aside-options." })
  end

  health.start("Program")
  if check_program() then
    health.start("Server")
    check_server()
    health.start("aside doctor")
    check_doctor()
  end
end

return M
