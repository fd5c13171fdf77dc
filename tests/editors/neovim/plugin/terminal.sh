# Sourced by `run`: the plugin on a screen that is read as its user reads it.

screen() { tmux -L "$session" capture-pane -p -t main; }
keys() { tmux -L "$session" send-keys -t main "$@"; }
keep() { screen >"$captures/neovim-plugin-$1.txt"; }

shows() { screen | grep -qE -- "$1"; }
hides() { ! shows "$1"; }

check() { # NAME PATTERN
  assert "$1" until_true shows "$2" && return
  screen | sed 's/^/  | /' >>"$results"
  return 1
}

check_gone() { # NAME PATTERN
  assert "$1" until_true hides "$2" && return
  screen | sed 's/^/  | /' >>"$results"
  return 1
}

drive() {
  check "the file is on the screen" 'A small shop' || return
  keys '/^def restock_report' Enter
  check "the function is found" 'def restock_report\(items, level' || return
  check "the server is there" 'inventory.py +Aside' || return

  # Explain: the first words, then the rest, while the cursor stays.
  hold
  keys V '}'
  keys ':Aside explain' Enter
  check "the window opens beside the code" 'Explain `?restock_report`? …' || return
  check "the first words are in it" '│These' || return
  check_gone "the rest is not" 'Simulated answer' || return
  keep explain-begins
  keys O 'typed meanwhile' Escape
  check "typing goes into the code" '^typed meanwhile' || return
  release
  check "the whole answer is there" 'Simulated answer' || return
  check "with what it cost above it" 'from cache · \$0\.[0-9]+' || return
  check "and today's cost in the status line" '\$0\.[0-9]+ today' || return
  keep explain
  keys u
  check_gone "undo takes back what was typed" 'typed meanwhile' || return
  keys 'gg' '/^def parse_price' Enter
  keys K
  sleep 0.2
  keys Escape
  keys ':Aside explanation' Enter q
  check_gone "q closes the window" 'Simulated answer' || return

  # Hover.
  keys '/^def restock_report' Enter w K
  check "K shows it again" 'Restock report' || return
  keep hover
  keys h

  # An edit, and its undo.
  keys ':Aside add-type-hints' Enter
  check "the edit is on the screen" 'def restock_report\(.*-> ' || return
  keep edit
  keys u
  check "one u brings it back" 'def restock_report\(items, level=DEFAULT_REORDER_LEVEL, factor=2.0, skip=\(\)\):' || return

  # Tests come into view, and the cursor stays.
  keys ':Aside write-tests' Enter
  check "tests are on the screen" 'def test_restock_report' || return
  keep tests
  keys ':echo expand("%")' Enter
  check "the cursor is still in the code" '^inventory.py$' || return
  keys ':only' Enter

  # Cancel midway.
  hold
  keys ':Aside explain' Enter
  check "it runs again" 'restock_report`? …' || return
  assert "and begins to answer" until_true held || return
  keys ':Aside cancel' Enter
  check "it is cancelled" 'Cancelled' || return
  assert "the request is dropped" until_true gone || return
  release
  keep cancelled
  keys ':Aside explanation' Enter q

  # Preview.
  keys ':lua local c = vim.lsp.get_clients({ name = "aside" })[1]; c.settings = { aside = { edits = { confirm = "preview" } } }; c:notify("workspace/didChangeConfiguration", { settings = c.settings })' Enter
  keys '/^def parse_price' Enter ':Aside add-type-hints' Enter
  check "the hint says what to do" 'Aside proposes this.*:Aside accept.*:Aside reject' || return
  check "the old line is there" 'def parse_price\(text, currency="€"\):' || return
  check "and the new one below it" '^def parse_price\(text, currency: str = "€"\) -> float:' || return
  keep preview
  keys ':Aside reject' Enter
  check_gone "reject takes it away" 'currency: str' || return
  keys ':Aside add-type-hints' Enter
  check "it is proposed again" 'Aside proposes this' || return
  keys ':Aside accept' Enter
  check_gone "accept takes the old line away" 'currency="€"' || return
  check "and leaves the new one" 'currency: str = "€"\) -> float' || return
  keep accepted

  # A question below an explanation, a finding, and an action that comes with the workspace.
  keys ':edit!' Enter '/^def restock_report' Enter ':Aside explain' Enter
  check "there is something to ask about" 'Explain restock_report +[0-9]+% from cache' || return
  keys ':Aside follow-up Where is load_items defined?' Enter
  check "the answer stands below the question" 'matches pattern=.*load_items|definition name="load_items"' || return
  keep follow-up
  keys ':only' Enter '/^def parse_price' Enter j 'oif text == None: return 0' Escape
  keys ':Aside review' Enter
  check "a finding is marked at its line" '^H +if text == None' || return
  keep finding
  keys '/text == None' Enter ':Aside' Enter
  check "its repair is offered first" '^1: Aside: repair: ' || return
  keys 1 Enter
  check "and proposed like any edit" 'Aside proposes this' || return
  keys ':Aside accept' Enter
  check_gone "and made" 'text == None' || return
  keys ':edit!' Enter
  mkdir -p "$project/.aside/actions"
  cp "$top/examples/actions/check-sql.md" "$project/.aside/actions/"
  # The menu looks at most once a second for new ones.
  sleep 1
  keys ':Aside' Enter
  check "who comes with actions is asked about" 'Offer them' || return
  keep trust
  # The question stands above the menu.
  keys 1 Enter
  keys Enter
  keys ':Aside check-sql' Enter
  check "one that was allowed runs" 'Check the SQL of parse_price' || return
  check "and streams into the window" 'Simulated answer' || return
  keys ':only' Enter

  # What it cost, and help.
  keys ':Aside usage' Enter
  check "the usage is a table" 'add-type-hints · claude' || return
  keep usage
  keys q ':help :Aside' Enter
  check "the manual opens" 'Runs an action on \[range\]' || return
  keys ':close' Enter ':checkhealth aside' Enter
  check "health is good" 'OK The server is running' || return
  keep health
  keys ':Aside messages' Enter
  check "what was said can be read" 'Aside: Simulated answer, no model' || return
  check "in front of everything" 'What Aside said' || return
}

cat >>"$room/config/nvim/init.lua" <<'END'
vim.o.statusline = "%f %m %= %{v:lua.require'aside'.status()} "
END
tmux -L "$session" -f /dev/null new-session -d -s main -x 150 -y 40 "${clean[@]}" "$nvim" inventory.py
drive || true
keys Escape ':qall!' Enter
