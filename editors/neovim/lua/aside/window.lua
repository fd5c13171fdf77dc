--- The one window in which pages are read. It opens beside the code and leaves the cursor where it is.

local config = require("aside.config")

local M = {}

--- Enough columns for code and explanation side by side.
local WIDE = 120

---@type aside.Page?
local shown
---@type integer?
local window

---@type aside.Page[]
local pages = {}

--- So many pages are kept to be read again.
local MOST = 20

---@return boolean
function M.is_open()
  return window ~= nil and vim.api.nvim_win_is_valid(window)
end

---@return aside.Page?
function M.page()
  return shown
end

---@return integer?
function M.window()
  return M.is_open() and window or nil
end

--- The page of a buffer.
---@param buffer integer
---@return aside.Page?
function M.page_of(buffer)
  return vim.iter(pages):find(function(page)
    return page.buffer == buffer
  end)
end

---@param text string
local function literally(text)
  return (text:gsub("%%", "%%%%"):gsub("[\r\n]", " "))
end

--- Writes the page's title and what it cost around it.
function M.refresh()
  local open = M.window()
  if not open or not shown then
    return
  end
  local title = literally(shown.title)
  local state = shown.running and " …" or ""
  local footer = literally(shown.footer or "")
  if vim.api.nvim_win_get_config(open).relative == "" then
    vim.wo[open].winbar = ("%%#AsideTitle#%s%s%%#AsideUsage#%%=%s"):format(title, state, footer)
  else
    local current = vim.api.nvim_win_get_config(open)
    current.title = { { " " .. shown.title .. state .. " ", "AsideTitle" } }
    current.footer = { { shown.footer and (" " .. shown.footer .. " ") or "", "AsideUsage" } }
    vim.api.nvim_win_set_config(open, current)
  end
end

---@return vim.api.keyset.win_config
local function place()
  local options = config.options.window
  local layout = options.layout
  if layout == "auto" then
    layout = vim.o.columns >= WIDE and "right" or "below"
  end
  local lines = vim.o.lines - vim.o.cmdheight - 2
  if layout == "float" then
    local border = options.border or (vim.o.winborder ~= "" and vim.o.winborder or "rounded")
    local width = math.max(math.floor(vim.o.columns * options.size), 20)
    return {
      relative = "editor",
      anchor = "NE",
      row = 1,
      col = vim.o.columns - 1,
      width = math.min(width, vim.o.columns - 4),
      height = math.max(lines - 4, 3),
      border = border,
      style = "minimal",
      -- Without a frame there is nowhere for these.
      title = border ~= "none" and "" or nil,
    }
  end
  local right = layout == "right"
  return {
    split = right and "right" or "below",
    win = right and -1 or vim.api.nvim_get_current_win(),
    width = right and math.max(math.floor(vim.o.columns * options.size), 20) or nil,
    height = not right and math.max(math.floor(lines * options.size), 5) or nil,
  }
end

---@param page aside.Page
local function map(page)
  local function key(keys, what, desc)
    vim.keymap.set("n", keys, what, { buffer = page.buffer, nowait = true, desc = desc })
  end
  key("q", M.close, "Close the window")
  key("<C-c>", "<Cmd>Aside cancel<CR>", "Cancel what is running")
  key("f", "<Cmd>Aside follow-up<CR>", "Ask about this explanation")
  key("y.", function()
    vim.fn.setreg(vim.v.register, page:text())
  end, "Copy all of it")
end

--- Keeps a page, so that it can be shown again.
---@param page aside.Page
function M.keep(page)
  if vim.list_contains(pages, page) then
    return
  end
  table.insert(pages, page)
  map(page)
  if #pages > MOST then
    local old = vim.iter(pages):find(function(candidate)
      return candidate ~= shown and not candidate.running
    end)
    if old then
      pages = vim.tbl_filter(function(candidate)
        return candidate ~= old
      end, pages)
      pcall(vim.api.nvim_buf_delete, old.buffer, { force = true })
    end
  end
end

--- Shows a page. The cursor goes there only when asked to, or when the user set `window.enter` and is not typing.
---@param page aside.Page
---@param enter? boolean
function M.show(page, enter)
  M.keep(page)
  if vim.fn.getcmdwintype() ~= "" then
    -- No window can be opened beside that of the command line.
    vim.api.nvim_create_autocmd("CmdwinLeave", {
      once = true,
      callback = vim.schedule_wrap(function()
        M.show(page, enter)
      end),
    })
    return
  end
  if enter == nil then
    enter = config.options.window.enter and vim.api.nvim_get_mode().mode == "n"
  end
  if not vim.api.nvim_buf_is_valid(page.buffer) then
    return
  end
  shown = page
  local here = vim.api.nvim_get_current_tabpage()
  local open = M.window()
  if open and vim.api.nvim_win_get_tabpage(open) ~= here then
    M.close()
    open = nil
  end
  if open then
    vim.api.nvim_win_set_buf(open, page.buffer)
  else
    open = vim.api.nvim_open_win(page.buffer, false, place())
    window = open
  end
  local set = vim.wo[open][0]
  set.wrap, set.linebreak, set.breakindent = true, true, true
  set.conceallevel, set.concealcursor = 2, "nc"
  set.number, set.relativenumber, set.signcolumn, set.foldcolumn = false, false, "no", "0"
  set.fillchars = "eob: "
  set.list, set.spell, set.cursorline, set.foldenable = false, false, false, false
  M.refresh()
  if enter then
    vim.api.nvim_set_current_win(open)
  end
end

--- Shows a page in front of everything else, as large as it is, until the user leaves it.
---@param page aside.Page
function M.dialog(page)
  local lines = vim.api.nvim_buf_get_lines(page.buffer, 0, -1, false)
  local width = vim.iter(lines):map(vim.fn.strdisplaywidth):fold(20, math.max)
  width = math.min(width, vim.o.columns - 4)
  local height = math.max(math.min(#lines, vim.o.lines - 6), 1)
  local border = config.options.window.border or (vim.o.winborder ~= "" and vim.o.winborder or "rounded")
  local dialog = vim.api.nvim_open_win(page.buffer, true, {
    relative = "editor",
    row = math.max(math.floor((vim.o.lines - height) / 2) - 1, 0),
    col = math.floor((vim.o.columns - width) / 2),
    width = width,
    height = height,
    border = border,
    style = "minimal",
    title = border ~= "none" and { { " " .. page.title .. " ", "AsideTitle" } } or nil,
  })
  local set = vim.wo[dialog][0]
  set.wrap = vim.iter(lines):any(function(line)
    return vim.fn.strdisplaywidth(line) > width
  end) and not (lines[1] or ""):match("^|")
  set.linebreak, set.conceallevel, set.concealcursor = true, 2, "nc"
  local function close()
    pcall(vim.api.nvim_win_close, dialog, true)
    pcall(vim.api.nvim_buf_delete, page.buffer, { force = true })
  end
  vim.keymap.set("n", "q", close, { buffer = page.buffer, nowait = true, desc = "Close the window" })
  vim.keymap.set("n", "<Esc>", close, { buffer = page.buffer, nowait = true, desc = "Close the window" })
  vim.api.nvim_create_autocmd("WinLeave", { buffer = page.buffer, once = true, callback = vim.schedule_wrap(close) })
end

--- Closes the window; its pages stay.
function M.close()
  local open = M.window()
  if open and not pcall(vim.api.nvim_win_close, open, true) then
    -- It is the last one.
    vim.cmd.enew()
  end
  window = nil
end

--- Shows the newest page again and goes there. Tells whether there was one.
---@return boolean
function M.again()
  local page = shown or pages[#pages]
  if not page then
    return false
  end
  M.show(page, true)
  return true
end

return M
