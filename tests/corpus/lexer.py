"""Tokens of twelve languages, found by regular expressions: nothing here knows the grammars that the checks use.

A token is (kind, start, end), with offsets in characters; kinds are comment, string, number, word and sign.
"""
import io
import re
import tokenize

NUMBER = r"0[xX][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*(?:[eE][+-]?\d+)?)"
QUOTED = r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'"
BLOCK = r"/\*.*?\*/"
SIGNS = (
    r"<=>|===|!==|\*\*=|>>>=|<<=|>>=|\?\?=|\.\.\.|\.\.=|=>|->|::|\+\+|--|&&|\|\||==|!=|~=|<=|>=|=~|<<|>>|\+=|-=|\*=|/=|%="
    r"|&=|\|=|\^=|\?\.|\?\?|\.\.|:=|<-|\S"
)


def pattern(comment, string, word=r"[A-Za-z_$][\w$]*"):
    return re.compile(
        f"(?P<comment>{comment})|(?P<string>{string})|(?P<number>{NUMBER})|(?P<word>{word})|(?P<sign>{SIGNS})", re.S
    )


C_COMMENT = r"//(?:\\\n|[^\n])*|" + BLOCK
PATTERNS = {
    "c": pattern(C_COMMENT, QUOTED),
    "cpp": pattern(C_COMMENT, r'R"(\w*)\(.*?\)(?P=raw)"'.replace(r"(\w*)", r"(?P<raw>\w*)") + r"|(?<![\w])" + QUOTED),
    "java": pattern(C_COMMENT, r'"""(?:\\.|[^\\])*?"""|' + QUOTED),
    "go": pattern(C_COMMENT, r"`[^`]*`|" + QUOTED),
    "rust": pattern(
        C_COMMENT, r'b?r(?P<raw>#*)".*?"(?P=raw)|b?"(?:\\.|[^"\\])*"|b?\'(?:\\[^\n\']+|[^\\\'\n])\'', r"'?[A-Za-z_]\w*"
    ),
    "php": pattern(r"//[^\n]*|#(?!\[)[^\n]*|" + BLOCK, r"<<<(?P<quote>['\"]?)(?P<id>\w+)(?P=quote)\n.*?\n\s*(?P=id)\b|" + QUOTED, r"\$?[A-Za-z_]\w*"),
    "lua": pattern(r"--\[(?P<level>=*)\[.*?\](?P=level)\]|--[^\n]*", r"\[(?P<eq>=*)\[.*?\](?P=eq)\]|" + QUOTED),
    "javascript": pattern(C_COMMENT, QUOTED, r"[#@]?[A-Za-z_$][\w$]*"),
    "ruby": pattern(r"(?:(?<=\n)|\A)=begin\b.*?\n=end[^\n]*|#[^\n]*", QUOTED + r"|%[wWiIqQ]?(?:\[[^\]]*\]|\([^)]*\)|\{[^}]*\})", r"[@$:]*[A-Za-z_]\w*[?!]?"),
    "shellscript": pattern(r"(?:(?<=[\s;])|\A)#[^\n]*", r"\$?'[^']*'", r"[A-Za-z_][\w-]*"),
}
BEFORE_VALUE = {"return", "typeof", "case", "in", "of", "do", "else", "void", "when", "if", "unless", "and", "or", "not"}


def tokens(language, text):
    if language == "python":
        return python(text)
    regex = PATTERNS[{"typescript": "javascript"}.get(language, language)]
    found, at, heredocs = [], 0, []
    while at < len(text):
        char = text[at]
        if char == "\n" and heredocs:
            end = heredoc_end(text, at + 1, heredocs)
            heredocs = []
            found.append(("string", at + 1, end))
            at = end
            continue
        if char.isspace():
            at += 1
            continue
        special = None
        if language in ("javascript", "typescript") and char == "`":
            special = template(text, at, "`", "${")
        elif language == "ruby" and char in "\"`":
            special = template(text, at, char, "#{")
        elif language == "shellscript" and char == '"':
            special = shell_string(text, at)
        elif language in ("javascript", "typescript", "ruby") and char == "/" and text[at + 1 : at + 2] not in ("/", "*", "="):
            last = found[-1] if found else None
            value = last is None or last[0] == "sign" and text[last[1] : last[2]] not in (")", "]", "}") or (
                last[0] == "word" and text[last[1] : last[2]] in BEFORE_VALUE
            )
            if not value and language == "ruby" and last[0] == "word":
                value = text[at - 1] == " " and text[at + 1] not in " ="
            match = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*").match(text, at) if value else None
            special = match and match.end()
        elif language == "ruby" and (match := re.compile(r"\?[A-Za-z#\"'](?!\w)").match(text, at)) and text[at - 1] in " ([,=":
            special = match.end()
        if special:
            found.append(("string", at, special))
            at = special
            continue
        if language in ("ruby", "shellscript"):
            match = re.compile(r"<<[~-]?(['\"]?)([A-Za-z_]\w*)\1").match(text, at)
            if match and text[at - 1] != "<" and (language == "shellscript" or match[0][2] in "~-" or match[2].isupper()):
                heredocs.append(match[2])
                found.append(("string", at, match.end()))
                at = match.end()
                continue
        match = regex.match(text, at)
        end = match.end()
        if language == "shellscript" and match.lastgroup == "sign" and char == "\\":
            end = at + 2
        if language == "shellscript" and match.lastgroup == "sign" and text.startswith("${", at):
            end = brace_end(text, at)
            found.append(("string", at, end))
            at = end
            continue
        kind = next(kind for kind in ("comment", "string", "number", "word", "sign") if match[kind] is not None)
        if kind == "comment" and not text[at:end].startswith("/*"):
            end = at + len(text[at:end].rstrip())
        found.append((kind, at, end))
        at = end
    return found


def template(text, at, quote, opening):
    """The end of a string in which code may stand between brackets."""
    at += 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\\":
            at += 2
        elif text.startswith(opening, at):
            at = code_end(text, at + len(opening), opening)
        else:
            at += 1
    return at + 1


def code_end(text, at, opening):
    depth = 1
    while at < len(text) and depth:
        if text[at] in "\"'`":
            at = template(text, at, text[at], opening)
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at


def brace_end(text, at):
    depth = 0
    while at < len(text):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 2 if text[at] == "\\" else 1
        if depth == 0 and text[at - 1] == "}":
            break
    return at


def shell_string(text, at):
    at += 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 2
        elif text.startswith("$(", at):
            depth, at = 1, at + 2
            while at < len(text) and depth:
                if text[at] == '"':
                    at = shell_string(text, at)
                    continue
                depth += {"(": 1, ")": -1}.get(text[at], 0)
                at += 1
        elif text.startswith("${", at):
            at = brace_end(text, at)
        else:
            at += 1
    return at + 1


def heredoc_end(text, at, names):
    for name in names:
        match = re.compile(r"^[ \t]*" + name + r"[ \t]*$", re.M).search(text, at)
        at = match.end() if match else len(text)
    return at


def python(text):
    starts = line_starts(text)
    found = []
    kinds = {tokenize.COMMENT: "comment", tokenize.STRING: "string", tokenize.NUMBER: "number", tokenize.NAME: "word", tokenize.OP: "sign"}
    for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END"):
        if hasattr(tokenize, name):
            kinds[getattr(tokenize, name)] = "string"
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = kinds.get(token.type)
        if kind and token.string:
            start = starts[token.start[0] - 1] + token.start[1]
            found.append((kind, start, starts[token.end[0] - 1] + token.end[1]))
    return found


def line_starts(text):
    starts = [0]
    for match in re.finditer("\n", text):
        starts.append(match.end())
    return starts
