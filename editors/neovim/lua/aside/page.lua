--- A page: a buffer that takes streamed Markdown, at most once a frame, however many parts arrive.

--- One frame at 60 a second.
local FRAME_MS = 16

--- So many lines of the model's thinking are shown, the newest.
local MOST_THOUGHTS = 6

local namespace = vim.api.nvim_create_namespace("aside.page")

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
---@field tools string[] what the model looked at for the answer that is to come
---@field thought string the sum of its thinking
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

--- Lines as they are shown: without the other half of a line's end of Windows.
---@param text string
---@return string
local function unix(text)
  return (text:gsub("\r", ""))
end

---@param lines string[]
function Page:set(first, last, lines)
  lines = vim.tbl_map(unix, lines)
  if not vim.api.nvim_buf_is_valid(self.buffer) then
    return
  end
  vim.bo[self.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(self.buffer, first, last, false, lines)
  vim.bo[self.buffer].modifiable = false
end

function Page:schedule()
  if not self.due then
    self.due = true
    vim.defer_fn(function()
      self:flush()
    end, FRAME_MS)
  end
end

--- Adds text at the end, in the next frame.
---@param text string
function Page:append(text)
  table.insert(self.pending, text)
  self:schedule()
end

--- Says below the text what the model is doing until its answer comes: a tool that it uses, or a part of its thinking.
---@param kind "tool"|"thinking"
---@param text string
function Page:note(kind, text)
  if kind == "tool" then
    table.insert(self.tools, unix(text))
    self.thought = ""
  else
    self.thought = self.thought .. unix(text)
  end
  self:schedule()
end

--- Forgets what was said below the text.
function Page:unnote()
  self.tools, self.thought = {}, ""
end

--- The last lines of a text, no wider than this.
---@param text string
---@param width integer
---@param most integer
---@return string[]
local function wrapped(text, width, most)
  local lines = {}
  for _, paragraph in ipairs(vim.split(vim.trim(text), "\n+")) do
    local line = ""
    for word in paragraph:gmatch("%S+") do
      local longer = line == "" and word or (line .. " " .. word)
      if line ~= "" and vim.fn.strdisplaywidth(longer) > width then
        table.insert(lines, line)
        longer = word
      end
      line = longer
    end
    table.insert(lines, line)
  end
  return vim.list_slice(lines, math.max(#lines - most + 1, 1))
end

--- Scrolls so far that what stands below the last line can be seen.
---@param window integer
local function reveal(window)
  local last = vim.api.nvim_buf_line_count(vim.api.nvim_win_get_buf(window))
  local room = vim.api.nvim_win_get_height(window) - (vim.wo[window].winbar ~= "" and 1 or 0)
  local top = vim.fn.line("w0", window)
  local function height()
    return vim.api.nvim_win_text_height(window, { start_row = top - 1, end_row = last - 1 }).all
  end
  local before = top
  while top < last and height() > room do
    top = top + 1
  end
  if top ~= before then
    vim.api.nvim_win_call(window, function()
      vim.fn.winrestview({ topline = top })
    end)
  end
end

--- Draws what was said below the text.
---@param following integer[] windows that show the end
function Page:draw_notes(following)
  vim.api.nvim_buf_clear_namespace(self.buffer, namespace, 0, -1)
  local windows = vim.fn.win_findbuf(self.buffer)
  local width = windows[1] and vim.api.nvim_win_get_width(windows[1]) - 2 or 78
  local notes = vim.tbl_map(function(tool)
    return "· " .. tool
  end, self.tools)
  if self.thought ~= "" then
    vim.list_extend(notes, wrapped(self.thought, width, MOST_THOUGHTS))
  end
  if #notes == 0 then
    return
  end
  vim.api.nvim_buf_set_extmark(self.buffer, namespace, vim.api.nvim_buf_line_count(self.buffer) - 1, 0, {
    virt_lines = vim.tbl_map(function(line)
      return { { line, "AsideHint" } }
    end, notes),
  })
  vim.iter(following):each(reveal)
end

--- Writes what is pending now.
function Page:flush()
  self.due = false
  local text = unix(table.concat(self.pending))
  self.pending = {}
  if not vim.api.nvim_buf_is_valid(self.buffer) then
    return
  end
  local last = vim.api.nvim_buf_line_count(self.buffer) - 1
  local following = vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] == last + 1
  end, vim.fn.win_findbuf(self.buffer))
  if text == "" then
    self:draw_notes(following)
    return
  end
  -- The answer comes: how it was come by is in the way now.
  self:unnote()
  vim.api.nvim_buf_clear_namespace(self.buffer, namespace, 0, -1)
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

--- An attempt starts: what the one before it wrote is void. What was looked at for it is not.
function Page:restart()
  self.pending = {}
  self.thought = ""
  self:set(self.base, -1, self.base == 0 and {} or { "" })
  self:schedule()
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
  local page = setmetatable(
    { buffer = buffer, title = "", running = false, base = 0, pending = {}, due = false, tools = {}, thought = "" },
    Page
  )
  page:entitle(title)
  return page
end

return M
