"""Harm: each class changes what the code does, or loses what someone wrote, and stays clear of what an edit may change."""
import ast
import bisect
import functools
import re

import documentation
import lexer

OPERATORS = {
    "<": "<=", ">": ">=", "<=": "<", ">=": ">", "==": "!=", "!=": "==", "===": "!==", "!==": "===", "~=": "==", "+": "-",
    "-": "+", "*": "/", "/": "*", "%": "*", "&&": "||", "||": "&&", "+=": "-=", "-=": "+=", "<<": ">>", ">>": "<<",
    "and": "or", "or": "and", "is": "is not", "in": "not in", "??": "||", "?.": ".", "..": "..=", "++": "--", "--": "++",
    "&": "|", "|": "&", "=~": "!~",
}  # fmt: skip
OPPOSITES = {
    "true": "false", "false": "true", "True": "False", "False": "True", "TRUE": "FALSE", "break": "continue",
    "continue": "break", "public": "private", "private": "public", "protected": "public", "let": "const", "if": "while",
    "while": "if", "unless": "if", "all": "any", "any": "all", "min": "max", "max": "min", "self": "cls",
    "null": "undefined", "None": "False", "nil": "false", "unsigned": "signed", "then": "do",
}  # fmt: skip
DROPPED = set(
    """async await static const final return yield private protected public abstract export default pub mut unsafe ref
    local synchronized volatile inline extern virtual explicit override noexcept new throw raise del global nonlocal
    defer go break continue move dyn readonly not delete typeof constexpr throws super declare""".split()
)
KEYWORDS = DROPPED | set(OPPOSITES) | set(
    """def class function func fn for else elif elsif end do switch case match with try catch except finally rescue ensure
    begin import from as package module use using namespace struct enum union interface trait impl type var lambda pass
    assert extends implements instanceof of void int char long short double float bool boolean echo fi done esac elseif
    repeat until goto require include where loop range map chan select is in and or""".split()
)
STATEMENT_END = {"python": "", "ruby": "", "lua": "", "shellscript": "", "go": ""}
OPENERS = re.compile(
    r"^\s*(?:def|class|module|if|elif|elsif|else|unless|while|until|for|try|except|finally|with|match|case|when|begin|rescue"
    r"|ensure|do|then|switch|func|function|local function|repeat|select|default|end|fi|done|esac|\}|\)|\]|@|#)\b|^\s*[@#})\]]"
)
ADDED_DIRECTIVE = {
    "python": "  # type: ignore", "javascript": " // eslint-disable-line", "typescript": " // @ts-ignore", "go": " //nolint",
    "c": " // NOLINT", "cpp": " // NOLINT", "java": " // NOSONAR", "ruby": " # rubocop:disable all",
    "php": " // phpcs:ignore", "lua": " -- luacheck: ignore", "shellscript": " # shellcheck disable=all",
}  # fmt: skip
DIRECTIVES = {
    "python": "noqa|type: ignore|pragma: no cover", "javascript": "eslint-disable|@ts-\\w+|istanbul", "go": "go:build|nolint",
    "typescript": "eslint-disable|@ts-\\w+|istanbul", "c": "NOLINT|clang-format", "cpp": "NOLINT|clang-format",
    "java": "NOSONAR|CHECKSTYLE", "ruby": "rubocop|frozen_string_literal: true", "php": "phpcs|phpstan-ignore",
    "lua": "luacheck|@diagnostic", "shellscript": "shellcheck (?=disable|source)",
}  # fmt: skip
LINE_COMMENT = {"python": "# ", "ruby": "# ", "shellscript": "# ", "lua": "-- "}


class Code:
    """A text with its tokens, and spans that an edit may change."""

    def __init__(self, language, promise, text, tokens, free):
        self.language, self.promise, self.text = language, promise, text
        self.free = merged(free)
        self.kept = self.new = ()
        self.all = tokens
        self.tokens = [token for token in tokens if token[0] != "comment" and not self.is_free(token[1], token[2])]
        self.comments = [token for token in tokens if token[0] == "comment"]
        self.starts = lexer.line_starts(text)

    def is_free(self, start, end):
        at = bisect.bisect_left(self.free, (end,)) - 1
        return at >= 0 and self.free[at][1] > start

    @functools.cached_property
    def statements(self):
        return list(lines_of_code(self))

    def of(self, token):
        return self.text[token[1] : token[2]]


def merged(spans):
    """Spans in order, those that touch as one."""
    out = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def replaced(token, new):
    return [(token[1], token[2], new)]


def renamed(code):
    for token in code.tokens:
        if token[0] == "word" and code.of(token) not in KEYWORDS:
            yield replaced(token, code.of(token) + "z")


def numbers(code):
    for token in code.tokens:
        if token[0] == "number":
            text = code.of(token)
            yield replaced(token, text + "1" if text[:2].lower() == "0x" else "1" + text)


def strings(code):
    for token in code.tokens:
        text = code.of(token)
        if token[0] == "string":
            letters = [match.start() for match in re.finditer(r"(?<![\\\w%])[A-Za-z](?=\w)|(?<=\w)[a-z](?=[\"'`])", text)]
            letters = [at for at in letters if at > 1] or [at for at in letters if at > 0]
            if letters:
                at = token[1] + letters[len(letters) // 2]
                yield [(at, at + 1, "Q" if code.text[at] != "Q" else "W")]


def blanks_in_strings(code):
    for token in code.tokens:
        text = code.of(token)
        if token[0] == "string" and text[-1:] in "\"'`" and text[:1] in "\"'`" and len(text) > 4:
            at = text.find(" ", 1)
            if 0 < at < len(text) - 1 and "${" not in text and "#{" not in text and "$(" not in text:
                yield [(token[1] + at, token[1] + at + 1, "  ")]


def operators(code):
    for token in code.tokens:
        if code.of(token) in OPERATORS and token[0] in ("sign", "word"):
            yield replaced(token, OPERATORS[code.of(token)])


def opposites(code):
    for token in code.tokens:
        if token[0] == "word" and code.of(token) in OPPOSITES:
            yield replaced(token, OPPOSITES[code.of(token)])


def dropped_keywords(code):
    for token in code.tokens:
        if token[0] == "word" and code.of(token) in DROPPED:
            yield replaced(token, "")


def dropped_negation(code):
    for token in code.tokens:
        if code.of(token) in ("!", "not"):
            yield replaced(token, "")


def dropped_tokens(code):
    tokens = code.tokens
    for index, token in enumerate(tokens):
        following = code.of(tokens[index + 1]) if index + 1 < len(tokens) else ""
        # A comma or a semicolon at the end of a list may say nothing.
        if token[0] in ("word", "sign", "number", "string") and not (code.of(token) in ",;" and following in ")}]"):
            if code.promise == "hints" and code.language == "typescript" and code.of(token) in "?:!;":
                continue
            # The brackets of a single parameter of an arrow function, and what belongs to an annotation.
            if code.promise == "hints" and code.of(token) in ("(", ")", ":", "->"):
                continue
            yield replaced(token, "")


def doubled_tokens(code):
    for token in code.tokens:
        if token[0] == "word" or code.of(token) in "!~-&*":
            yield replaced(token, code.of(token) + " " + code.of(token))


def groups(code, opening="(", closing=")"):
    """The indices of the tokens between brackets, split at commas."""
    stack = []
    for index, token in enumerate(code.tokens):
        sign = code.of(token)
        if sign in ("(", "[", "{"):
            stack.append((sign, index, [index]))
        elif sign == "," and stack:
            stack[-1][2].append(index)
        elif sign in (")", "]", "}") and stack:
            sign, start, cuts = stack.pop()
            if sign == opening and code.of(token) == closing:
                yield cuts + [index]


def reordered(code):
    for cuts in groups(code):
        for first, second, third in zip(cuts, cuts[1:], cuts[2:]):
            if second - first < 2 or third - second < 2:
                continue
            a = code.tokens[first + 1][1], code.tokens[second][1]
            b = code.tokens[second + 1][1], code.tokens[third][1]
            one, two = code.text[slice(*a)].strip(), code.text[slice(*b)].strip()
            comment = any(token[1] < b[1] and a[0] < token[2] for token in code.comments)
            if one == two or comment or len(one) + len(two) > 300:
                continue
            yield [(a[0], a[0] + len(one), two), (b[0], b[0] + len(two), one)]


def defaults(code):
    for cuts in groups(code):
        for first, second in zip(cuts, cuts[1:]):
            if second - first >= 4 and code.of(code.tokens[second - 2]) == "=":
                value = code.tokens[second - 1]
                text = code.of(value)
                if value[0] == "number":
                    yield replaced(value, "1" + text)
                elif value[0] == "string" and len(text) > 1:
                    yield [(value[2] - 1, value[2] - 1, "q")]
                elif text in OPPOSITES:
                    yield replaced(value, OPPOSITES[text])
                if code.language in ("python", "php", "javascript", "typescript", "ruby"):
                    yield [(code.tokens[second - 3][2], value[2], "")]


def tuples(code):
    """The comma that makes a tuple of a value."""
    if code.language != "python":
        return
    lines = [line.encode() for line in code.text.splitlines(keepends=True)]
    for node in ast.walk(ast.parse(code.text)):
        if isinstance(node, ast.Tuple) and len(node.elts) == 1:
            start = code.starts[node.lineno - 1] + len(lines[node.lineno - 1][: node.col_offset].decode())
            end = code.starts[node.end_lineno - 1] + len(lines[node.end_lineno - 1][: node.end_col_offset].decode())
            at = code.text.rfind(",", start, end)
            if at > 0 and not code.is_free(start, end):
                yield [(at, at + 1, "")]


def decorators(code):
    starts = {"python": "@", "typescript": "@", "java": "@", "rust": "#[", "php": "#["}.get(code.language)
    if starts:
        for line in re.finditer(r"^[ \t]*" + re.escape(starts) + r"[^\n]*\n", code.text, re.M):
            text = line[0].strip()
            at = line.start() + line[0].index(starts)
            inside = any(token[1] < at < token[2] for token in code.all)
            balanced = all(text.count(a) == text.count(b) for a, b in ("()", "[]", "{}"))
            if balanced and not inside and not re.search(r"\b(class|void|public|private|protected|static)\b", text):
                yield [(line.start(), line.end(), "")]


def lines_of_code(code):
    """(start, end) of the lines that are a statement each."""
    by_line = {}
    for kind, start, end in code.all:
        first, last = (bisect.bisect_right(code.starts, at) - 1 for at in (start, end))
        for line in range(first, last + 1):
            by_line.setdefault(line, []).append((kind, start, end, first != last))
    lines = code.starts + [len(code.text)]
    previous_open, depth = False, 0
    for line in range(len(lines) - 1):
        tokens = by_line.get(line, [])
        start, end = lines[line], lines[line + 1]
        text = code.text[start:end]
        real = [token for token in tokens if token[0] != "comment"]
        if not real:
            continue
        began_open, previous_open = previous_open, not statement_ends(code, text, real, tokens)
        began_deep = depth
        signs = "".join(code.text[token[1] : token[2]] for token in real if token[0] == "sign")
        balanced = all(signs.count(a) == signs.count(b) for a, b in ("()", "[]", "{}"))
        depth += sum({"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0) for sign in signs)
        joined = any(token[3] for token in tokens) or code.is_free(start, end)
        if began_deep or depth or began_open or previous_open or not balanced or joined or OPENERS.match(text) or not text.endswith("\n"):
            continue
        if code.language in ("c", "cpp", "java", "rust", "php", "javascript", "typescript") and not signs.endswith(";"):
            continue
        yield start, end


def statement_ends(code, text, real, tokens):
    last = code.text[real[-1][1] : real[-1][2]]
    if STATEMENT_END.get(code.language) is None:
        return last in (";", "{", "}")
    return not (last in ("\\", ",", ".", "(", "[", "+", "-", "=", "|", "||", "&&", "and", "or", "..", "not", "=>", "->"))


def removed_statements(code):
    for start, end in code.statements:
        yield [(start, end, "")]


def doubled_statements(code):
    for start, end in code.statements:
        # An import that stands twice imports once.
        if not (code.promise == "hints" and re.match(r"\s*(from|import)\b", code.text[start:end])):
            yield [(end, end, code.text[start:end])]


def swapped_statements(code):
    lines = code.statements
    for (start, middle), (other, end) in zip(lines, lines[1:]):
        one, two = code.text[start:middle], code.text[other:end]
        if middle == other and one != two and indent(one) == indent(two):
            yield [(start, end, two + one)]


def disabled_statements(code):
    sign = LINE_COMMENT.get(code.language, "// ")
    for start, end in code.statements:
        at = start + len(indent(code.text[start:end]))
        yield [(at, at, sign)]


def moved_out(code):
    """The last statement of a block that indentation makes: it goes behind the block."""
    if code.language != "python":
        return
    for start, end in code.statements:
        line = code.text[start:end]
        following = re.compile(r"(?:[ \t]*\n)*").match(code.text, end).end()
        before = code.text.rfind("\n", 0, start - 1) + 1
        first = OPENERS.match(code.text[before:start])
        if len(indent(line)) >= 8 and len(indent(code.text[following:])) <= len(indent(line)) - 4 and not first:
            if len(indent(code.text[before:start])) == len(indent(line)):
                yield [(start, start + 4, "")]


def indent(line):
    return re.match(r"[ \t]*", line)[0]


def broken_lines(code):
    if code.language in ("javascript", "typescript", "ruby"):
        for token, following in zip(code.tokens, code.tokens[1:]):
            if code.of(token) == "return" and code.text[token[2] : following[1]] == " " and code.of(following) not in ("if", "unless", ";"):
                yield [(token[2], following[1], "\n")]


def removed_branches(code):
    if code.language in ("python", "ruby", "lua", "shellscript", "go", "php", "c", "cpp", "java", "javascript", "typescript", "rust"):
        lines = code.text.splitlines(keepends=True)
        strings = [(start, end) for kind, start, end in code.all if kind in ("string", "comment") and "\n" in code.text[start:end]]
        for index, line in enumerate(lines):
            match = re.match(r"([ \t]*)(else|elif|elsif|elseif|except|finally|rescue|when|case|catch|default)\b[^\n]*\n", line)
            brace = re.match(r"([ \t]*)\}\s*(else|catch|finally)\b[^\n]*\{\s*\n", line)
            head = match or brace
            if not head or match and code.language in ("c", "cpp", "java", "php", "javascript", "typescript", "rust") and "{" in line:
                continue
            last = index + 1
            while last < len(lines) and (not lines[last].strip() or len(indent(lines[last])) > len(head[1])):
                last += 1
            start, end = code.starts[index], code.starts[last] if last < len(lines) else len(code.text)
            if last == index + 1 or last == len(lines) or any(s < end and start < e for s, e in strings):
                continue
            if code.is_free(start, end):
                continue
            yield [(start, end, "")]


def lost_comments(code):
    # Comments that the edit leaves where they are; `code.free` has the others.
    for start, end in documentation.own_lines(code.text, code.comments):
        if code.is_free(start, end) or not re.search(r"\w", documentation.SIGNS.sub("", code.text[start:end])):
            continue
        if code.promise == "documentation" and joined(code, start, end):
            continue
        yield [(start, end, "")]
    for token in trailing(code):
        yield [(len(code.text[: token[1]].rstrip()), token[2], "")]


def joined(code, start, end):
    """Whether other comments stand right in front or behind, which may stand for it."""
    at = bisect.bisect_left(code.comments, start, key=lambda token: token[1])
    while at < len(code.comments) and code.comments[at][1] < end:
        at += 1
    before = [token for token in code.comments[:at] if token[2] <= start][-1:]
    around = [(token[2], start) for token in before] + [(end, token[1]) for token in code.comments[at : at + 1]]
    return any(not code.text[a:b].strip() for a, b in around)


def trailing(code):
    for token, following in zip(code.comments, code.comments[1:] + [None]):
        line = code.text[code.text.rfind("\n", 0, token[1]) + 1 : token[1]]
        text = code.of(token)
        if line.strip() and re.search(r"\w\w", text) and not code.is_free(token[1], token[2]):
            end = code.text.find("\n", token[2])
            if not code.text[token[2] : end].strip() and "\n" not in text:
                # Another one in the next line may stand for it.
                if not following or code.text[token[2] : following[1]].strip():
                    yield token


def rewritten_comments(code):
    if code.promise == "hints":
        for token in code.comments:
            text = code.of(token)
            words = [match for match in re.finditer(r"(?<![@\w{.\[<|])[a-z]{4,}(?=[ .,])", text)]
            if words and not re.search(r"[@{\[<]", text) and not re.match(r"#\s*type:", text):
                word = words[len(words) // 2]
                if not code.is_free(token[1], token[2]):
                    yield [(token[1] + word.start(), token[1] + word.end(), "zebra")]
    else:
        for token in trailing(code):
            text = code.of(token)
            if not re.match(r"(///|//!|/\*\*|/\*!|---)", text) and len(re.findall(r"\w+", text)) > 2:
                sign = documentation.SIGNS.match(text)[0]
                yield replaced(token, sign + "zebras graze" + (" */" if text.endswith("*/") else ""))


def changed_directives(code):
    words = DIRECTIVES.get(code.language)
    for token in code.comments if words else []:
        match = re.search(words, code.of(token))
        if match and not code.is_free(token[1], token[2]):
            yield [(token[1] + match.start(), token[1] + match.end(), "none")]


def added_directives(code):
    if sign := ADDED_DIRECTIVE.get(code.language):
        for start, end in code.statements:
            if not any(start <= token[1] < end for token in code.comments):
                yield [(end - 1, end - 1, sign)]


def lost_annotations(code):
    """Hints only: an annotation that was there before the edit."""
    for start, end in code.kept:
        before = code.text[:start].rstrip()
        if before.endswith((":", "->")):
            sign = 2 if before.endswith("->") else 1
            yield [(len(before) - sign, end, "")]


def undefined_types(code):
    for start, end in code.new:
        if code.language == "python" and "import *" in code.text:
            continue
        yield [(start, end, "Zyzzyva")]


def added_comments(code):
    if code.promise == "hints":
        sign = LINE_COMMENT.get(code.language, "// ")
        for start, end in code.statements:
            if not any(start <= token[1] < end for token in code.comments):
                yield [(end - 1, end - 1, f" {sign}a zebra")]


def added_imports(code):
    line = {"python": "import antigravity\n", "typescript": "import zebra from 'zebra';\n"}.get(code.language)
    if code.promise == "hints" and line:
        for match in list(re.finditer(r"^(?:import|from) [^\n()]*\n", code.text, re.M))[:8]:
            yield [(match.start(), match.start(), line)]


CLASSES = {
    "renamed variable": renamed,
    "changed number": numbers,
    "changed string": strings,
    "blank in a string": blanks_in_strings,
    "changed operator": operators,
    "opposite word": opposites,
    "dropped keyword": dropped_keywords,
    "dropped negation": dropped_negation,
    "dropped token": dropped_tokens,
    "doubled token": doubled_tokens,
    "reordered argument": reordered,
    "changed default": defaults,
    "tuple made a value": tuples,
    "dropped decorator": decorators,
    "removed statement": removed_statements,
    "doubled statement": doubled_statements,
    "swapped statements": swapped_statements,
    "disabled statement": disabled_statements,
    "statement moved out": moved_out,
    "broken line": broken_lines,
    "removed branch": removed_branches,
    "lost comment": lost_comments,
    "rewritten comment": rewritten_comments,
    "changed directive": changed_directives,
    "added directive": added_directives,
    "lost annotation": lost_annotations,
    "undefined type": undefined_types,
    "added comment": added_comments,
    "added import": added_imports,
}


def of(code, random, most, classes=None):
    """(class, replacements), at most so many of each class, of so many classes."""
    names = list(CLASSES) if classes is None else random.sample(list(CLASSES), classes)
    for name in names:
        found = [edits for edits in CLASSES[name](code) if any(code.text[start:end] != new for start, end, new in edits)]
        for edits in random.sample(found, min(most, len(found))):
            yield name, edits
