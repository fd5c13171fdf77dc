-- Checks the plugin's annotations with a language server for Lua, whose client is Neovim itself:
--   nvim --clean --headless -u NONE -l types.lua EMMYLUA_LS FOLDER
-- Prints what it finds, and `N passed, N failed`, a file a check.

local program, folder = arg[1], vim.fs.abspath(arg[2])
local opened = {}
local client_id = vim.lsp.start({
  name = "types",
  cmd = { program },
  cmd_env = { VIMRUNTIME = vim.env.VIMRUNTIME },
  root_dir = folder,
}, { attach = false })
local client = assert(vim.lsp.get_client_by_id(assert(client_id)))
assert(
  vim.wait(60000, function()
    return client.initialized == true
  end, 10),
  "the language server did not start"
)

local passed, failed = 0, 0
for path in
  vim.spairs(vim
    .iter(vim.fs.find(function(name)
      return name:match("%.lua$")
    end, { path = folder, limit = math.huge, type = "file" }))
    :fold({}, function(all, path)
      all[path] = true
      return all
    end))
do
  local buffer = vim.fn.bufadd(path)
  vim.fn.bufload(buffer)
  vim.bo[buffer].filetype = "lua"
  vim.lsp.buf_attach_client(buffer, client.id)
  table.insert(opened, { path = path, buffer = buffer })
end
for _, file in ipairs(opened) do
  -- The answer comes when the workspace, Neovim's own Lua among it, was read.
  local answer = client:request_sync("textDocument/diagnostic", {
    textDocument = { uri = vim.uri_from_bufnr(file.buffer) },
  }, 120000, file.buffer)
  local items = assert(answer and answer.result, "no answer about " .. file.path).items or {}
  for _, item in ipairs(items) do
    local line = item.range.start.line + 1
    print(("%s:%d: %s [%s]"):format(file.path:sub(#folder + 2), line, item.message, item.code))
  end
  if #items == 0 then
    passed = passed + 1
  else
    failed = failed + 1
  end
end
client:stop(true)
io.write(("%d passed, %d failed\n"):format(passed, failed))
os.exit(failed == 0 and passed > 0 and 0 or 1)
