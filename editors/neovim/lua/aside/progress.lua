--- What runs, shown where it will have its effect: behind the first line of the selection.

local config = require("aside.config")

local M = {}

local namespace = vim.api.nvim_create_namespace("aside.progress")

--- So long the outcome stays, in milliseconds.
local LINGER_MS = 4000

--- With fewer columns left behind a line, what is said there could not be read.
local ROOM = 60

---@class aside.Place
---@field buffer integer
---@field mark? integer
---@field title string
---@field message string
---@field outcome? string
---@field finish? string how it ended and what it cost
---@field hidden? boolean whether something else says what is going on
---@field above? boolean whether it stands above the line, for want of room behind it

---@type table<string, aside.Place>
local places = {}
local listening = false

--- Whether there is too little room behind a line, and a line above it in which to say it.
---@param buffer integer
---@param row integer
---@return boolean
local function crowded(buffer, row)
  local window = vim.fn.bufwinid(buffer)
  -- Above the first line that is seen, nothing is.
  if window == -1 or row + 1 <= vim.fn.line("w0", window) then
    return false
  end
  local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ""
  local info = vim.fn.getwininfo(window)[1]
  return info.width - info.textoff - vim.fn.strdisplaywidth(line) < ROOM
end

---@param buffer integer
---@param row integer
---@return integer columns
local function indentation(buffer, row)
  return vim.api.nvim_buf_call(buffer, function()
    return vim.fn.indent(row + 1)
  end)
end

---@param place aside.Place
local function draw(place)
  if not place.mark or not vim.api.nvim_buf_is_valid(place.buffer) then
    return
  end
  local at = vim.api.nvim_buf_get_extmark_by_id(place.buffer, namespace, place.mark, {})
  if not at[1] then
    return
  end
  local words = vim.tbl_filter(function(part)
    return part ~= ""
  end, { (place.title:gsub("`", "")), place.finish or place.message })
  local text = "● " .. table.concat(words, " · ")
  local highlight = place.outcome == "failed" and "AsideError" or "AsideProgress"
  -- Once above, it stays there: a window that closes need not make it jump.
  place.above = place.above or crowded(place.buffer, at[1])
  if place.hidden then
    vim.api.nvim_buf_set_extmark(place.buffer, namespace, at[1], at[2], { id = place.mark, undo_restore = false })
    return
  end
  local indent = place.above and (" "):rep(indentation(place.buffer, at[1])) or " "
  vim.api.nvim_buf_set_extmark(place.buffer, namespace, at[1], at[2], {
    id = place.mark,
    virt_text = not place.above and { { indent .. text, highlight } } or nil,
    virt_text_pos = "eol",
    virt_lines = place.above and { { { indent .. text, highlight } } } or nil,
    virt_lines_above = true,
    hl_mode = "combine",
    undo_restore = false,
  })
end

--- Takes what is said about a job off the screen.
---@param job string
local function clear(job)
  local place = places[job]
  places[job] = nil
  if place and place.mark and vim.api.nvim_buf_is_valid(place.buffer) then
    vim.api.nvim_buf_del_extmark(place.buffer, namespace, place.mark)
  end
end

--- A job works on this line of this buffer.
---@param job string
---@param buffer integer
---@param line integer 0-based
function M.place(job, buffer, line)
  if config.options.progress ~= "inline" or not vim.api.nvim_buf_is_valid(buffer) then
    return
  end
  -- What has ended makes room.
  for other, ended in pairs(places) do
    if other ~= job and ended.outcome and ended.buffer == buffer then
      clear(other)
    end
  end
  local place = places[job] or { buffer = buffer, title = "Aside", message = "" }
  places[job] = place
  place.buffer = buffer
  line = math.min(line, vim.api.nvim_buf_line_count(buffer) - 1)
  place.mark = vim.api.nvim_buf_set_extmark(buffer, namespace, line, 0, { id = place.mark, undo_restore = false })
  draw(place)
end

--- Something else says what is going on, until the job ends.
---@param job string
function M.hide(job)
  local place = places[job]
  if place then
    place.hidden = true
    draw(place)
  end
end

--- How a job ended.
---@param job string
---@param outcome? string
---@param bill? string what it cost
function M.outcome(job, outcome, bill)
  local place = places[job]
  if place then
    place.outcome, place.hidden = outcome, false
    if outcome and bill then
      -- Shorter than the progress's own last words, of which the end, the price, would be cut.
      place.finish = outcome:gsub("^%l", string.upper) .. " · " .. bill
    end
    draw(place)
  end
end

---@param job string
---@param value table
local function on_inline(job, value)
  local place = places[job]
  if not place then
    if value.kind == "end" then
      return
    end
    place = { buffer = 0, title = "", message = "" }
    places[job] = place
  end
  place.title = value.title or place.title
  place.message = value.message or ""
  place.hidden = place.hidden and value.kind ~= "end"
  draw(place)
  if value.kind == "end" then
    vim.defer_fn(function()
      clear(job)
    end, LINGER_MS)
  end
end

---@param value table
local function on_echo(value)
  local words = (value.title or "Aside") .. (value.message and ": " .. value.message or "")
  -- A longer one would ask for a key.
  vim.api.nvim_echo({ { require("aside.messages").cut(words, vim.v.echospace) } }, false, {})
end

---@param value table
local function on_notify(value)
  if value.kind ~= "report" then
    vim.notify((value.title or "Aside") .. (value.message and ": " .. value.message or ""), vim.log.levels.INFO)
  end
end

--- Listens to the server's progress from now on.
function M.listen()
  if listening then
    return
  end
  listening = true
  vim.api.nvim_create_autocmd("LspProgress", {
    group = vim.api.nvim_create_augroup("aside.progress", {}),
    desc = "What Aside is doing",
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if not client or client.name ~= "aside" then
        return
      end
      local value = event.data.params.value
      local how = config.options.progress
      if how == "inline" then
        local job = tostring(event.data.params.token):match("^aside%-(.+)$")
        if job then
          on_inline(job, value)
        end
      elseif how == "echo" then
        on_echo(value)
      elseif how == "notify" then
        on_notify(value)
      end
    end,
  })
end

return M
