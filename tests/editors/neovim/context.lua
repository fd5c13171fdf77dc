-- Runs inside a real Neovim: another server complains, a file is changed and not saved, and three actions are run.
-- Results are lines of `ok - …` and `not ok - …` in the file that ASIDE_TEST_RESULTS names.

local checks = dofile(vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/checks.lua")
local check, wait = checks.check, checks.wait

local ended = 0
vim.api.nvim_create_autocmd("LspProgress", {
  callback = function(event)
    ended = ended + (event.data.params.value.kind == "end" and 1 or 0)
  end,
})

local source = vim.api.nvim_get_current_buf()
local complaint = {
  range = { start = { line = 4, character = 27 }, ["end"] = { line = 4, character = 30 } },
  severity = 1,
  source = "other",
  code = "E1",
  message = "`row` may be anything",
}

-- Another server, which says one thing about each document that is opened. It lives in Neovim itself and speaks the
-- protocol as any other does.
local function other(dispatchers)
  local closing, last = false, 0
  return {
    request = function(method, _, callback)
      last = last + 1
      callback(nil, method == "initialize" and { capabilities = { textDocumentSync = 1 } } or vim.NIL)
      return true, last
    end,
    notify = function(method, params)
      if method == "textDocument/didOpen" then
        dispatchers.notification("textDocument/publishDiagnostics", {
          uri = params.textDocument.uri,
          diagnostics = { complaint },
        })
      end
      return true
    end,
    is_closing = function()
      return closing
    end,
    terminate = function()
      closing = true
    end,
  }
end

local function act(what, run)
  local before = ended
  vim.api.nvim_set_current_buf(source)
  vim.fn.cursor(5, 1)
  run()
  wait("the end of " .. what, function()
    return ended > before
  end)
end

local function menu(kind)
  act(kind, function()
    vim.lsp.buf.code_action({ apply = true, context = { only = { kind }, diagnostics = {} } })
  end)
end

local function main()
  wait("the server", function()
    local client = vim.lsp.get_clients({ bufnr = source, name = "aside" })[1]
    return client ~= nil and client.initialized == true
  end)
  vim.lsp.start({ name = "other", cmd = other, root_dir = vim.fn.getcwd() }, { bufnr = source })
  wait("the other server's word", function()
    return #vim.diagnostic.get(source) == 1
  end)
  vim.o.hidden = true
  vim.cmd("edit shop/prices.py")
  vim.cmd("silent %substitute/cents/pennies/")
  -- Neovim holds changes back for a moment, but not for a request about the same buffer.
  local here = { textDocument = { uri = vim.uri_from_bufnr(0) }, position = { line = 0, character = 4 } }
  check(vim.lsp.buf_request_sync(0, "textDocument/hover", here, 60000) ~= nil, "the server has the other file")
  vim.cmd("buffer! " .. source)
  menu("refactor.aside.explain")
  -- The manual's key for what others complain about.
  act("fix", function()
    vim.api.nvim_feedkeys("\\f", "mx", false)
  end)
  menu("refactor.aside.tests")
end

local fine, problem = xpcall(main, debug.traceback)
check(fine, "the session goes as it should" .. (fine and "" or ": " .. tostring(problem):gsub("\n", " ")))
vim.cmd("qall!")
