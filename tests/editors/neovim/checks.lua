-- What the scripts share that are Neovim's user: results are lines of `ok - …` and `not ok - …` in the file that
-- ASIDE_TEST_RESULTS names.

local M = {}

local results = assert(io.open(assert(vim.env.ASIDE_TEST_RESULTS), "a"))

-- Writes down whether something holds, with details if not.
function M.check(condition, name, details)
  results:write((condition and "ok - " or "not ok - ") .. name .. "\n")
  if not condition and details ~= nil then
    results:write("  " .. vim.inspect(details):sub(1, 2000):gsub("\n", "\n  ") .. "\n")
  end
  results:flush()
  return condition
end

-- Waits until something holds. A limit for what hangs, not a measure of speed.
function M.wait(what, condition)
  if not vim.wait(60000, condition, 5) then
    M.check(false, "waited for " .. what, { messages = vim.fn.execute("messages") })
    vim.cmd("cquit")
  end
end

-- A buffer's text, the current one's if none is named.
function M.text(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false), "\n") .. "\n"
end

return M
