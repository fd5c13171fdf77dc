--- A page: a buffer that takes streamed Markdown, at most once a frame, however many parts arrive.

--- One frame at 60 a second.
local FRAME_MS = 16

---@class aside.Page
---@field buffer integer
---@field title string
---@field job? string the job that writes on it
---@field uri? string the explanation's document, once there is one
---@field client_id? integer
---@field footer? string what it cost
---@field running boolean
---@field base integer how many lines stood there before the running attempt
---@field pending string[]
---@field due boolean
local Page = {}
Page.__index = Page

--- Names of buffers are unique.
local made = 0

--- Says what the page is about. Its buffer is called by the first title that says something.
---@param title string
function Page:entitle(title)
  self.title = title:gsub("[`%c]", "")
  if self.title ~= "" and vim.api.nvim_buf_get_name(self.buffer) == "" then
    made = made + 1
    vim.api.nvim_buf_set_name(self.buffer, ("aside://%d/%s"):format(made, self.title))
  end
end

---@param lines string[]
function Page:set(first, last, lines)
  if not vim.api.nvim_buf_is_valid(self.buffer) then
    return
  end
  vim.bo[self.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(self.buffer, first, last, false, lines)
  vim.bo[self.buffer].modifiable = false
end

--- Adds text at the end, in the next frame.
---@param text string
function Page:append(text)
  table.insert(self.pending, text)
  if not self.due then
    self.due = true
    vim.defer_fn(function()
      self:flush()
    end, FRAME_MS)
  end
end

--- Writes what is pending now.
function Page:flush()
  self.due = false
  local text = table.concat(self.pending)
  self.pending = {}
  if text == "" or not vim.api.nvim_buf_is_valid(self.buffer) then
    return
  end
  local last = vim.api.nvim_buf_line_count(self.buffer) - 1
  local following = vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] == last + 1
  end, vim.fn.win_findbuf(self.buffer))
  vim.bo[self.buffer].modifiable = true
  local end_of_last = #vim.api.nvim_buf_get_lines(self.buffer, last, -1, false)[1]
  vim.api.nvim_buf_set_text(self.buffer, last, end_of_last, last, end_of_last, vim.split(text, "\n", { plain = true }))
  vim.bo[self.buffer].modifiable = false
  -- Who scrolled up reads there, and stays there.
  local bottom = vim.api.nvim_buf_line_count(self.buffer)
  for _, window in ipairs(following) do
    vim.api.nvim_win_set_cursor(window, { bottom, 0 })
  end
end

--- An attempt starts: what the one before it wrote is void.
function Page:restart()
  self.pending = {}
  self:set(self.base, -1, self.base == 0 and {} or { "" })
end

--- A question continues the conversation below what is there.
---@param question string
function Page:ask(question)
  self:flush()
  local quoted = vim.tbl_map(function(line)
    return "> " .. line
  end, vim.split(vim.trim(question), "\n"))
  self:append("\n\n---\n\n" .. table.concat(quoted, "\n") .. "\n\n")
  self:flush()
  self.base = vim.api.nvim_buf_line_count(self.buffer) - 1
end

--- Replaces everything.
---@param lines string[]
function Page:replace(lines)
  self.pending = {}
  self:set(0, -1, lines)
end

---@return string
function Page:text()
  return table.concat(vim.api.nvim_buf_get_lines(self.buffer, 0, -1, false), "\n")
end

local M = {}

--- A new page. `language` is what its text is in, as tree-sitter calls it.
---@param title string
---@param language? string
---@return aside.Page
function M.new(title, language)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].undolevels = -1
  vim.bo[buffer].swapfile = false
  language = language or "markdown"
  -- A type of its own: what others do to Markdown, such as fetching its pictures, is not done to an answer.
  vim.bo[buffer].filetype = language == "markdown" and "aside" or language
  if not pcall(vim.treesitter.start, buffer, language) then
    vim.bo[buffer].syntax = language
  end
  local page = setmetatable({ buffer = buffer, title = "", running = false, base = 0, pending = {}, due = false }, Page)
  page:entitle(title)
  return page
end

return M
