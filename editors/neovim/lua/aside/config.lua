--- What the user set, checked. A bad value loses only itself.

local M = {}

---@class aside.WindowOptions
---@field layout? "auto"|"right"|"below"|"float" `auto` is right of the code, and below it where there is no room
---@field size? number the part of the editor that it takes, above 0 and below 1
---@field enter? boolean whether the cursor goes there; the default leaves it in the code
---@field border? string|string[] the border of a floating window; `'winborder'` when left out

---@class aside.Options
---@field cmd? string[] the program and what stands in front of `serve`
---@field simulate? boolean answer without an account, with Aside's simulator
---@field autostart? boolean start the server by itself
---@field filetypes? string[] only in these; everywhere when left out
---@field preview? boolean show an edit in the code and wait for `:Aside accept`
---@field window? aside.WindowOptions
---@field progress? "inline"|"echo"|"notify"|false how running work is shown; `false` leaves it to others
---@field keymaps? table<string, string> keys by what they do: an action or a word of `:Aside`, or `menu`
---@field env? table<string, string> added to the server's environment
---@field log_level? string write a log at this level; `:Aside log` opens it
---@field settings? table the section `aside` of the server's settings

--- All of them, with a value.
---@class aside.Config
---@field cmd string[]
---@field simulate boolean
---@field autostart boolean
---@field filetypes? string[]
---@field preview boolean
---@field window { layout: "auto"|"right"|"below"|"float", size: number, enter: boolean, border?: any }
---@field progress "inline"|"echo"|"notify"|false
---@field keymaps table<string, string>
---@field env table<string, string>
---@field log_level? string
---@field settings table

---@type aside.Config
local defaults = {
  cmd = { "aside" },
  simulate = false,
  autostart = true,
  preview = false,
  window = { layout = "auto", size = 0.4, enter = false },
  progress = "inline",
  keymaps = {},
  env = {},
  settings = {},
}

---@alias aside.Check { [1]: string, [2]: fun(value: any): boolean }

---@param words any[]
---@return aside.Check
local function one_of(words)
  local shown = vim.iter(words):map(vim.inspect):join(", ")
  return {
    "one of " .. shown,
    function(value)
      return vim.list_contains(words, value)
    end,
  }
end

---@param name string
---@return aside.Check
local function of_type(name)
  return {
    "a " .. name,
    function(value)
      return type(value) == name
    end,
  }
end

---@return aside.Check
local function list_of_strings(empty)
  return {
    empty and "a list of strings" or "a list of strings that is not empty",
    function(value)
      return vim.islist(value)
        and (empty or #value > 0)
        and vim.iter(value):all(function(item)
          return type(item) == "string"
        end)
    end,
  }
end

---@type aside.Check
local strings_by_name = {
  "a table of strings by name",
  function(value)
    return type(value) == "table"
      and vim.iter(pairs(value)):all(function(key, item)
        return type(key) == "string" and type(item) == "string"
      end)
  end,
}

---@type table<string, aside.Check>
local checks = {
  cmd = list_of_strings(false),
  simulate = of_type("boolean"),
  autostart = of_type("boolean"),
  filetypes = list_of_strings(true),
  preview = of_type("boolean"),
  window = of_type("table"),
  ["window.layout"] = one_of({ "auto", "right", "below", "float" }),
  ["window.size"] = {
    "a number between 0 and 1",
    function(value)
      return type(value) == "number" and value > 0 and value < 1
    end,
  },
  ["window.enter"] = of_type("boolean"),
  ["window.border"] = {
    "a border as of nvim_open_win()",
    function(value)
      return type(value) == "string" or type(value) == "table"
    end,
  },
  progress = one_of({ "inline", "echo", "notify", false }),
  keymaps = strings_by_name,
  env = strings_by_name,
  log_level = of_type("string"),
  settings = of_type("table"),
}

--- The names of all options, those of tables inside with a dot.
---@return string[]
function M.names()
  local names = vim.tbl_keys(checks)
  table.sort(names)
  return names
end

--- How many letters must change to get from one word to the other.
---@param a string
---@param b string
---@return integer
local function distance(a, b)
  local row = {} ---@type table<integer, integer>
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local above = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and above or above + 1
      above = row[j]
      row[j] = math.min(cost, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

--- The word that was probably meant, if one is near.
---@param word string
---@param words string[]
---@return string?
function M.nearest(word, words)
  local best, least = nil, 3
  for _, candidate in ipairs(words) do
    local changes = distance(word, candidate)
    if changes < least then
      best, least = candidate, changes
    end
  end
  return best
end

--- The options with defaults for what is missing or wrong, and what is wrong in words.
---@param options any
---@return aside.Config options
---@return string[] problems
function M.resolve(options)
  local result, problems = vim.deepcopy(defaults), {}
  if type(options) ~= "table" then
    return result, { ("options must be a table, not %s"):format(vim.inspect(options)) }
  end
  ---@param into table
  ---@param from table
  ---@param prefix string
  local function take(into, from, prefix)
    for key, value in vim.spairs(from) do
      local name = prefix .. tostring(key)
      local check = checks[name]
      if not check then
        local near = M.nearest(name, vim.tbl_keys(checks))
        table.insert(
          problems,
          ("there is no option `%s`%s"):format(name, near and (": did you mean `%s`?"):format(near) or "")
        )
      elseif not check[2](value) then
        table.insert(problems, ("`%s` must be %s, not %s"):format(name, check[1], vim.inspect(value)))
      elseif name == "window" then
        take(into.window, value, "window.")
      else
        into[key] = vim.deepcopy(value)
      end
    end
  end
  take(result, options, "")
  return result, problems
end

--- The options in force.
---@type aside.Config
M.options = vim.deepcopy(defaults)

--- What was wrong with what the user gave, for `:checkhealth`.
---@type string[]
M.problems = {}

---@param options any
function M.set(options)
  M.options, M.problems = M.resolve(options or {})
  for _, problem in ipairs(M.problems) do
    vim.notify("Aside: " .. problem, vim.log.levels.WARN)
  end
end

return M
