# Sourced by the tests of editors: a user's home and project of their own, and an API that answers when it is told to.
# Wants `$top` (the repository) and `$bin` (the folder of `aside`); the API plays `$ASIDE_TEST_SCENARIO` where that names a file.

room=$(mktemp -d)
mkdir -p "$room"/{config/aside,data,state,cache,run,home,gate,project/.git}
project=$room/project
results=$room/results
captures=$top/target/captures
mkdir -p "$captures"
: >"$results"
cp "$top/examples/inventory.py" "$project/"

clean=(env -i "HOME=$room/home" "PATH=$bin:$PATH" TERM=xterm-256color LANG=C.UTF-8 TZ=UTC
  "XDG_CONFIG_HOME=$room/config" "XDG_DATA_HOME=$room/data" "XDG_STATE_HOME=$room/state"
  "XDG_CACHE_HOME=$room/cache" "XDG_RUNTIME_DIR=$room/run"
  "ASIDE_TEST_RESULTS=$results" ${ASIDE_TEST_TRAFFIC:+"ASIDE_TEST_TRAFFIC=$ASIDE_TEST_TRAFFIC"})

# The simulator behind a gate. It ends when descriptor 9 does.
mkfifo "$room/gate/life"
"${clean[@]}" python3 "$top/tests/editors/gate.py" "$room/gate" aside simulate ${ASIDE_TEST_SCENARIO:+--scenario "$ASIDE_TEST_SCENARIO"} <"$room/gate/life" >"$room/gate/url" &
gate=$!
exec 9>"$room/gate/life"

leave() {
  # Who ends before the conclusion has not said what was good until then.
  [ -n "${concluded-}" ] || cat "$results"
  exec 9>&-
  wait "$gate" 2>/dev/null || true
  rm -rf "$room"
}

# Waits until a command succeeds. A limit for what hangs, not a measure of speed.
until_true() {
  for _ in $(seq 600); do
    "$@" && return
    sleep 0.05
  done
  return 1
}

ok() { echo "ok - $1" >>"$results"; }
bad() { echo "not ok - $1" >>"$results"; }

# An assertion: NAME COMMAND...
assert() {
  local name=$1
  shift
  if "$@"; then ok "$name"; else bad "$name"; return 1; fi
}

# FILE ONE OTHER: the file is one of these.
is_one_of() { cmp -s "$1" "$2" || cmp -s "$1" "$3"; }

# The whole file with hints at both of two functions.
expected_both() {
  expected add-type-hints "$1" >"$project/both.py"
  expected add-type-hints "$2" both.py
  rm "$project/both.py"
}

hold() { rm -f "$room/gate/"{held,gone}; : >"$room/gate/closed"; }
release() { rm -f "$room/gate/closed"; }
held() { [ -e "$room/gate/held" ]; }
gone() { [ -e "$room/gate/gone" ]; }

# The whole file as an action would leave it: ACTION FUNCTION [FILE], from the command line, which shares all code but the
# editor.
expected() {
  local line file=$project/${3:-inventory.py}
  line=$(grep -n "^def $2(" "$file" | cut -d: -f1)
  "${clean[@]}" aside act "$1" "$file:$line" --simulate --json |
    python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["edits"][0]["newText"])'
}

# Prints the results of NAME and ends well if all are good.
conclude() {
  local passed failed
  concluded=yes
  cat "$results"
  failed=$(grep -c '^not ok' "$results" || true)
  passed=$(grep -c '^ok' "$results" || true)
  echo "$1: $passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

until_true test -s "$room/gate/url" || { echo "the simulator did not start"; exit 1; }
clean+=("ANTHROPIC_BASE_URL=$(cat "$room/gate/url")" ANTHROPIC_API_KEY=simulated)
