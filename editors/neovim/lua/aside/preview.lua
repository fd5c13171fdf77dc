--- A proposed edit, drawn into the code: what goes is marked, what comes stands below it as virtual lines.

local server = require("aside.server")

local M = {}

local namespace = vim.api.nvim_create_namespace("aside.preview")

---@class aside.Proposal
---@field job string
---@field client_id integer
---@field diff string
---@field drawn { buffer: integer, first: integer }[] where it is drawn; `first` is an extmark
---@field page? aside.Page where it is shown when its file is not open

---@type table<string, aside.Proposal>
local proposals = {}

---@class aside.Hunk
---@field row integer 0-based: the first line that goes, or the line in front of which the new ones come
---@field deleted string[]
---@field added string[]

--- The lines that text edits lead to.
---@param lines string[]
---@param edits lsp.TextEdit[]
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return string[]
function M.edited(lines, edits, encoding)
  local scratch = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(scratch, 0, -1, false, lines)
  vim.lsp.util.apply_text_edits(edits, scratch, encoding)
  local result = vim.api.nvim_buf_get_lines(scratch, 0, -1, false)
  vim.api.nvim_buf_delete(scratch, { force = true })
  return result
end

--- What differs, place by place.
---@param old string[]
---@param new string[]
---@return aside.Hunk[]
function M.hunks(old, new)
  local indices = vim.diff(table.concat(old, "\n") .. "\n", table.concat(new, "\n") .. "\n", {
    result_type = "indices",
    algorithm = "histogram",
  })
  return vim.tbl_map(function(index)
    local old_first, old_count, new_first, new_count = index[1], index[2], index[3], index[4]
    return {
      -- Where nothing goes, the line *behind* which something comes is told.
      row = old_count == 0 and old_first or old_first - 1,
      deleted = vim.list_slice(old, old_first, old_first + old_count - 1),
      added = vim.list_slice(new, new_first, new_first + new_count - 1),
    }
  end, indices --[[@as integer[][] ]])
end

--- Where two lines differ: behind their common beginning, in front of their common end. In bytes, end exclusive.
---@param old string
---@param new string
---@return { [1]: integer, [2]: integer } old
---@return { [1]: integer, [2]: integer } new
function M.changed_part(old, new)
  local shorter = math.min(#old, #new)
  local front = 0
  while front < shorter and old:byte(front + 1) == new:byte(front + 1) do
    front = front + 1
  end
  local back = 0
  while back < shorter - front and old:byte(#old - back) == new:byte(#new - back) do
    back = back + 1
  end
  -- Characters are marked whole.
  front = front + vim.str_utf_start(new .. " ", front + 1)
  while back > 0 and vim.str_utf_start(new, #new - back + 1) ~= 0 do
    back = back - 1
  end
  return { front, #old - back }, { front, #new - back }
end

--- A new line as virtual text, with what changed in it against an old one; as wide as the window.
---@param text string
---@param old? string
---@param tabstop integer
---@param width integer
---@return { [1]: string, [2]: string }[]
local function virtual_line(text, old, tabstop, width)
  -- In a file with line ends of both kinds the other half of an end is a letter of the line.
  local function shown(part)
    return (part:gsub("\r$", ""):gsub("\t", (" "):rep(tabstop)))
  end
  local chunks
  if old and old ~= "" then
    local _, part = M.changed_part(old, text)
    chunks = {
      { shown(text:sub(1, part[1])), "AsideAdd" },
      { shown(text:sub(part[1] + 1, part[2])), "AsideChange" },
      { shown(text:sub(part[2] + 1)), "AsideAdd" },
    }
  else
    chunks = { { shown(text), "AsideAdd" } }
  end
  local rest = width - vim.fn.strdisplaywidth(shown(text))
  if rest > 0 then
    table.insert(chunks, { (" "):rep(rest), "AsideAdd" })
  end
  return chunks
end

---@param what "accept"|"reject"
---@return string
local function how(what)
  return require("aside.config").options.keymaps[what] or (":Aside " .. what)
end

--- Draws the hunks into a buffer; the extmark of the first one.
---@param buffer integer
---@param hunks aside.Hunk[] at least one
---@return integer
local function draw(buffer, hunks)
  local first = 0
  local count = vim.api.nvim_buf_line_count(buffer)
  local tabstop = vim.bo[buffer].tabstop
  local window = vim.fn.bufwinid(buffer)
  local width = window ~= -1 and vim.api.nvim_win_get_width(window) or vim.o.columns
  for index, hunk in ipairs(hunks) do
    local paired = #hunk.deleted == #hunk.added
    local lines = {}
    for number, text in ipairs(hunk.added) do
      lines[number] = virtual_line(text, paired and hunk.deleted[number] or nil, tabstop, width)
    end
    for number, text in ipairs(hunk.deleted) do
      local row = hunk.row + number - 1
      vim.api.nvim_buf_set_extmark(buffer, namespace, row, 0, { line_hl_group = "AsideDelete", priority = 90 })
      if paired then
        local part = M.changed_part(text, hunk.added[number])
        vim.api.nvim_buf_set_extmark(buffer, namespace, row, part[1], {
          end_col = math.max(part[1], part[2]),
          hl_group = "AsideChange",
          priority = 200,
        })
      end
    end
    -- Below the last line that goes; else below the line in front, and above the first when there is none in front.
    local last = hunk.row + #hunk.deleted - 1
    local mark = vim.api.nvim_buf_set_extmark(buffer, namespace, math.min(math.max(last, 0), count - 1), 0, {
      virt_lines = #lines > 0 and lines or nil,
      virt_lines_above = last < 0,
    })
    if index == 1 then
      first = mark
      local hint = (" ● Aside proposes this (1 of %d) · %s · %s"):format(#hunks, how("accept"), how("reject"))
      if #hunks == 1 then
        hint = (" ● Aside proposes this · %s · %s"):format(how("accept"), how("reject"))
      end
      vim.api.nvim_buf_set_extmark(buffer, namespace, math.min(math.max(hunk.row, 0), count - 1), 0, {
        virt_text = { { hint, "AsideHint" } },
        virt_text_pos = "eol",
        hl_mode = "combine",
      })
    end
  end
  return first
end

--- The server proposes an edit.
---@param params { job: string, edit: lsp.WorkspaceEdit, diff: string }
---@param context lsp.HandlerContext
function M.on_proposal(params, context)
  M.clear(params.job)
  local client = vim.lsp.get_client_by_id(context.client_id)
  if not client then
    return
  end
  ---@type aside.Proposal
  local proposal = { job = params.job, client_id = client.id, diff = params.diff, drawn = {} }
  proposals[params.job] = proposal
  -- The hint says it from here on.
  require("aside.progress").hide(params.job)
  local everywhere = true
  for _, change in ipairs(params.edit.documentChanges or {}) do
    local buffer = change.textDocument and vim.fn.bufnr(vim.uri_to_fname(change.textDocument.uri)) or -1
    if change.edits and buffer > 0 and vim.api.nvim_buf_is_loaded(buffer) then
      local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
      local hunks = M.hunks(lines, M.edited(lines, change.edits, server.encoding(client)))
      if #hunks > 0 then
        table.insert(proposal.drawn, { buffer = buffer, first = draw(buffer, hunks) })
      end
    else
      everywhere = false
    end
  end
  if not everywhere or #proposal.drawn == 0 then
    local page = require("aside.page").new("Proposed: " .. how("accept") .. " · " .. how("reject"), "diff")
    page:replace(vim.split(vim.trim(params.diff), "\n"))
    proposal.page = page
    require("aside.window").show(page)
  end
  vim.api.nvim_exec_autocmds("User", {
    pattern = "AsideProposal",
    modeline = false,
    data = { job = params.job, diff = params.diff },
  })
end

--- Takes a proposal off the screen.
---@param job string
function M.clear(job)
  local proposal = proposals[job]
  proposals[job] = nil
  if not proposal then
    return
  end
  for _, drawn in ipairs(proposal.drawn) do
    if vim.api.nvim_buf_is_valid(drawn.buffer) then
      vim.api.nvim_buf_clear_namespace(drawn.buffer, namespace, 0, -1)
    end
  end
  local window = require("aside.window")
  if proposal.page and window.page() == proposal.page then
    window.close()
  end
end

function M.clear_all()
  for job in pairs(proposals) do
    M.clear(job)
  end
end

--- The proposal that is meant here: the one drawn in this buffer or shown in it, or the only one.
---@return aside.Proposal?
local function here()
  local buffer = vim.api.nvim_get_current_buf()
  for _, proposal in pairs(proposals) do
    if proposal.page and proposal.page.buffer == buffer then
      return proposal
    end
    for _, drawn in ipairs(proposal.drawn) do
      if drawn.buffer == buffer then
        return proposal
      end
    end
  end
  local job = next(proposals)
  return job and next(proposals, job) == nil and proposals[job] or nil
end

--- The user's word about the proposal here; without one, about the only answer that the server kept.
---@param accept boolean
---@param retry? boolean of a kept answer: run the action again, on the text as it is now
function M.decide(accept, retry)
  local proposal = here()
  local client = proposal and vim.lsp.get_client_by_id(proposal.client_id) or server.client()
  if not client then
    server.say("nothing waits for that", vim.log.levels.WARN)
    return
  end
  local argument = vim.empty_dict()
  argument.job = proposal and proposal.job
  argument.retry = retry or nil
  if proposal then
    M.clear(proposal.job)
  end
  server.execute(client, accept and "aside.accept" or "aside.reject", argument)
end

--- Goes to the proposal here, or wherever one is.
function M.visit()
  local proposal = here() or proposals[next(proposals)]
  if not proposal then
    server.say("no edit waits", vim.log.levels.WARN)
    return
  end
  local drawn = proposal.drawn[1]
  if not drawn then
    require("aside.window").show(assert(proposal.page), true)
    return
  end
  local at = vim.api.nvim_buf_get_extmark_by_id(drawn.buffer, namespace, drawn.first, {})
  vim.api.nvim_set_current_buf(drawn.buffer)
  if at[1] then
    vim.api.nvim_win_set_cursor(0, { at[1] + 1, 0 })
  end
end

--- What waits, by job, for tests and status lines.
---@return table<string, string> diffs
function M.waiting()
  return vim.iter(pairs(proposals)):fold({}, function(all, job, proposal)
    all[job] = proposal.diff
    return all
  end)
end

return M
