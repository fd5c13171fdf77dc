--- What runs and what it cost: the newest `aside/status`, in words for a status line, and the page of `:Aside usage`.

local M = {}

---@type table?
local newest

--- A new state of the server; nil when it is gone.
---@param status? table
function M.on_status(status)
  newest = status
  vim.api.nvim_exec_autocmds("User", { pattern = "AsideStatus", modeline = false, data = status or {} })
  vim.cmd.redrawstatus({ bang = true })
end

---@return table?
function M.data()
  return newest and vim.deepcopy(newest)
end

--- JSON's null comes as a value of its own.
---@param value any
---@return number?
local function number(value)
  return type(value) == "number" and value or nil
end

---@param usd any
---@return string
function M.dollars(usd)
  local amount = number(usd)
  if not amount then
    return "$?"
  end
  local sign, size = amount < 0 and "-" or "", math.abs(amount)
  -- Most answers cost less than a cent.
  return sign .. ((size == 0 or size >= 1) and "$%.2f" or "$%.4f"):format(size)
end

---@param count any
---@return string
function M.count(count)
  local amount = number(count) or 0
  if amount < 1000 then
    return ("%d"):format(amount)
  end
  return amount < 1e6 and ("%.1fk"):format(amount / 1e3) or ("%.1fM"):format(amount / 1e6)
end

---@param totals table
---@return string
local function rate(totals)
  return ("%d%% from cache"):format(math.floor((number(totals.cacheHitRate) or 0) * 100 + 0.5))
end

--- What one job or a day took.
---@param usage table
---@return string
function M.bill(usage)
  return rate(usage) .. " · " .. M.dollars(usage.costUsd)
end

---@return string
function M.text()
  if not newest then
    return ""
  end
  local parts = {}
  local running = newest.running or {}
  if #running == 1 then
    table.insert(parts, "● " .. running[1].title:gsub("`", ""))
  elseif #running > 1 then
    table.insert(parts, ("● %d running"):format(#running))
  end
  local day = newest.day or {}
  if (number(day.requests) or 0) > 0 then
    table.insert(parts, ("%s today"):format(M.dollars(day.costUsd)))
    table.insert(parts, rate(day))
  end
  if newest.simulated then
    table.insert(parts, "simulated")
  end
  return #parts == 0 and "Aside" or table.concat(parts, " · ")
end

---@param name string
---@param totals table
---@return string
local function row(name, totals)
  local read = number(totals.cacheReadTokens) or 0
  local input = (number(totals.inputTokens) or 0) + (number(totals.cacheWriteTokens) or 0) + read
  return ("| %s | %d | %s | %d %% | %s | %s | %s |"):format(
    name,
    number(totals.requests) or 0,
    M.count(input),
    math.floor((number(totals.cacheHitRate) or 0) * 100 + 0.5),
    M.count(totals.outputTokens),
    M.dollars(totals.costUsd),
    M.dollars(totals.savedUsd)
  )
end

---@param head string
---@return string[]
local function table_head(head)
  return {
    ("| %s | requests | input | from cache | output | cost | saved |"):format(head),
    "|---|---:|---:|---:|---:|---:|---:|",
  }
end

--- Makes the columns of Markdown tables equally wide, as nothing does for a reader of the plain text.
---@param lines string[]
---@return string[]
function M.aligned(lines)
  local widths = {}
  local rows = vim.tbl_map(function(line)
    local cells = vim.split(vim.trim(line):gsub("^|", ""):gsub("|$", ""), "|", { plain = true })
    for index, cell in ipairs(cells) do
      cells[index] = vim.trim(cell)
      if not cells[index]:match("^%-+:?$") then
        widths[index] = math.max(widths[index] or 3, vim.fn.strdisplaywidth(cells[index]))
      end
    end
    return cells
  end, lines)
  return vim.tbl_map(function(cells)
    local out = {}
    for index, cell in ipairs(cells) do
      local room = widths[index] or 3
      local gap = (" "):rep(room - vim.fn.strdisplaywidth(cell))
      if cell:match("^%-+:?$") then
        out[index] = index == 1 and ("-"):rep(room) or ("-"):rep(room - 1) .. ":"
      else
        out[index] = index == 1 and cell .. gap or gap .. cell
      end
    end
    return "| " .. table.concat(out, " | ") .. " |"
  end, rows)
end

--- The answer of `aside.usage` as Markdown.
---@param usage { session: table, day: table, rows: table[] }
---@return string[]
function M.page(usage)
  local totals = table_head("")
  table.insert(totals, row("this session", usage.session))
  table.insert(totals, row("today", usage.day))
  local lines = {}
  vim.list_extend(lines, M.aligned(totals))
  if #(usage.rows or {}) > 0 then
    local rows = table_head("today, by action")
    for _, entry in ipairs(usage.rows) do
      table.insert(rows, row(table.concat({ entry.action or "?", entry.model }, " · "), entry))
    end
    vim.list_extend(lines, { "" })
    vim.list_extend(lines, M.aligned(rows))
  end
  if newest and newest.simulated then
    vim.list_extend(lines, { "", "*Simulated: nobody pays this.*" })
  end
  vim.list_extend(lines, { "", "`$?` is unknown. More, and longer ago: `aside usage --since month --html bill.html`." })
  return lines
end

return M
