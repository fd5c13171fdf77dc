# Sourced by `run`: Neovim on a screen that is read as its user reads it.

screen() { tmux -L "$session" capture-pane -p -t main; }
keys() { tmux -L "$session" send-keys -t main "$@"; }

check() { # NAME PATTERN
  for _ in $(seq 300); do
    if screen | grep -qE -- "$2"; then
      echo "ok - $1" >>"$room/results"
      return
    fi
    sleep 0.1
  done
  echo "not ok - $1" >>"$room/results"
  screen | sed 's/^/  | /' >>"$room/results"
  return 1
}

# Long messages stop at a prompt, and so does the user.
past_messages() {
  for _ in $(seq 20); do
    sleep 0.2
    screen | grep -q '^Press ENTER' || return 0
    keys Enter
  done
}

keep() { screen >"$captures/neovim-$1.txt"; }

drive() {
  check "the file is on the screen" 'A small shop' || return
  keys '/^def restock_report' Enter
  check "the function is found" 'def restock_report\(items, level' || return
  for _ in $(seq 60); do
    keys Escape ':echo len(luaeval("vim.lsp.get_clients()")) .. " server"' Enter
    sleep 0.5
    screen | grep -q '^1 server' && break
  done
  check "the server is attached" '^1 server' || return
  keys V G
  keys gra
  check "the menu is on the screen" '[0-9]+: .*[Ee]xplain' || return
  check "with type hints" '[0-9]+: .*[Tt]ype hints' || return
  check "with tests" '[0-9]+: .*[Tt]ests' || return
  keep menu
  local entry
  entry=$(screen | grep -oE '[0-9]+: .*[Tt]ype hints' | grep -oE '^[0-9]+' | head -n 1)
  keys "$entry" Enter
  check "the edit is on the screen" 'def restock_report\(.*->|^.*\) -> ' || return
  keep edit
  past_messages
  if screen | grep -q 'Not applied'; then echo "not ok - the edit is said to be applied" >>"$room/results"; fi
  keys Escape u
  check "one u brings it back" 'def restock_report\(items, level=DEFAULT_REORDER_LEVEL, factor=2.0, skip=\(\)\):' || return
  past_messages
  keys V G gra
  check "the menu is on the screen again" '[0-9]+: .*[Ee]xplain' || return
  entry=$(screen | grep -oE '[0-9]+: .*[Ee]xplain' | grep -oE '^[0-9]+' | head -n 1)
  keys "$entry" Enter
  check "the explanation is on the screen" '^ *#+ ' || return
  keep explanation
}

tmux -L "$session" -f /dev/null new-session -d -s main -x 120 -y 40 "${clean[@]}" "$nvim" inventory.py
drive || true
keys Escape ':qall!' Enter
