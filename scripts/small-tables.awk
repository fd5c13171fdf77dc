# Writes a parser that `tree-sitter generate` made so that its tables are small, and prints it.
#
# A parser has two forms of one table, from (state, symbol) to what is to be done. States with many entries have a row with
# a place for every symbol of the grammar; the others have lists, each a value and the symbols that lead to it:
#   ts_parse_table[state][symbol] = value
#   ts_small_parse_table[] = groups, (value, count, symbol...)...    ts_small_parse_table_map[state - LARGE_STATE_COUNT]
# Rows are two thirds of a program that has many grammars, and most of their places are empty. This turns all rows but the first two,
# which every parser has, into lists. What the tables say stays the same, and parsing takes some percent longer; the numbers are
# in docs/architecture.md. Ends with 1, and what it printed is not to be used, where the file does not look as expected.
BEGIN { KEPT = 2; length_of_rows = 0 }

function number(text) { gsub(/[^0-9]/, "", text); return text + 0 }
function strange() { failed = 1; exit 1 }

/^#define LARGE_STATE_COUNT / {
  large = $3 + 0
  if (large <= KEPT) strange()
  print "#define LARGE_STATE_COUNT " KEPT
  next
}

# The rows: `  [STATE(7)] = {`, then `    [sym_name] = ACTIONS(42),`, then `  },`.
/^static const uint16_t ts_parse_table\[LARGE_STATE_COUNT\]\[SYMBOL_COUNT\] = \{$/ { part = "rows"; seen++; print; next }
part == "rows" {
  if (/^\};$/) { part = ""; print; next }
  if (/^  \[(STATE\()?[0-9]+\)?\] = \{$/) {
    state = number($1)
    groups = 0
    split("", group_of)
  } else if (/^    \[[A-Za-z0-9_]+\] = (ACTIONS|STATE)\([0-9]+\),$/) {
    symbol = $1
    value = $3
    gsub(/[][]/, "", symbol)
    sub(/,$/, "", value)
    if (!(value in group_of)) {
      group_of[value] = ++groups
      values[groups] = value
      members[groups] = ""
      counts[groups] = 0
    }
    group = group_of[value]
    members[group] = members[group] " " symbol ","
    counts[group]++
  } else if (/^  \},$/) {
    list = "  " groups ","
    size = 1
    for (group = 1; group <= groups; group++) {
      list = list " " values[group] ", " counts[group] "," members[group]
      size += 2 + counts[group]
    }
    # Two states may have the same list.
    if (state >= KEPT && !(list in place_of)) {
      place_of[list] = length_of_rows
      length_of_rows += size
      lists[++last] = list
    }
    if (state >= KEPT) place[state] = place_of[list]
  } else strange()
  if (state < KEPT) print
  next
}

# The lists: what was a row comes first, and what follows it has moved.
/^static const uint16_t ts_small_parse_table\[\] = \{$/ {
  part = "lists"
  seen++
  print
  for (i = 1; i <= last; i++) print lists[i]
  next
}
/^static const uint32_t ts_small_parse_table_map\[\] = \{$/ {
  part = "map"
  seen++
  print
  for (state = KEPT; state < large; state++) {
    if (!(state in place)) strange()
    print "  [SMALL_STATE(" state ")] = " place[state] ","
  }
  next
}
/^\};$/ { part = "" }
part == "lists" && /^  \[/ { sub(/\[/, "[" length_of_rows " + ") }
part == "map" && !sub(/= /, "= " length_of_rows " + ") { strange() }
{ print }

END { if (failed || seen != 3) exit 1 }
