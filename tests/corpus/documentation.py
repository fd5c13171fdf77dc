"""What a file was before it was documented."""
import ast
import re

import lexer

# Comments that tools read, and what programs read at run time: an edit that documents may not bring them.
FOR_TOOLS = re.compile(
    r"""^\#!|coding[:=]|noqa|type:\ ?ignore|pragma|pylint|mypy:|pyright:|ruff:|fmt:|isort:|eslint|jshint|@ts-|istanbul|prettier
    |tslint|nolint|//[a-z]+:|\+build|//export\ |//line\ |shellcheck|rubocop|luacheck|@diagnostic|@meta|stylua|selene|phpcs|phpstan
    |psalm|codeCoverageIgnore|codingStandards|clang-|cppcheck|NOSONAR|fall.?s?.?through|SPDX|@license|@preserve|code\ generated
    |do\ not\ edit|frozen_string_literal|:nodoc:|:stopdoc:|:startdoc:|:call-seq:|vim:|-\*-|<reference|@jsx|@flow|output:
    |@(?-i:[A-Z])|@(group|test|covers|requires|before|after|depends|ticket)\b|expected-|LCOV|IWYU|\#autoload|\#compdef|@generated
    |@formatter|noinspection|NOPMD|CHECKSTYLE|rustfmt|\#__|@__|//~|^///\s*<|\bcgo\b|\$NON-NLS|steep:|typed:|standard:|reek:
    |^\#\s*@test|!strict|!nolint|@internal\ tool""",
    re.I | re.X | re.M,
)
SIGNS = re.compile(r"^\s*(///|//!|//|/\*+!?|\*+/|\*|--\[=*\[|---?|#+|=begin|=end)\s?")


class Block:
    """Comments that stand together on lines of their own, or a docstring: from the start of the first line to the end of
    the last, with the line's end."""

    def __init__(self, start, end, kind):
        self.start, self.end, self.kind = start, end, kind


def blocks(language, text, tokens):
    """Documentation that can be taken out."""
    found = []
    for start, end in own_lines(text, tokens):
        last = found[-1] if found else None
        block = text[start:end].lstrip().startswith(("/*", "--[", "=begin"))
        if last and last.end == start and last.kind == "lines" and not block and indent(text, last.start) == indent(text, start):
            last.end = end
        else:
            found.append(Block(start, end, "block" if block else "lines"))
    if language == "python":
        found.extend(docstrings(text))
    if language == "go":
        before_c = {match.start() for match in re.finditer(r'^import "C"', text, re.M)}
        found = [block for block in found if block.end not in before_c]
    found.sort(key=lambda block: block.start)
    return [block for block in found if not FOR_TOOLS.search(text[block.start : block.end])]


def own_lines(text, tokens):
    """The comments that stand alone on their lines."""
    for kind, start, end in tokens:
        if kind != "comment":
            continue
        begin = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop
        if not text[begin:start].strip() and not text[end:stop].strip():
            yield begin, min(stop + 1, len(text))


def indent(text, start):
    return re.compile(r"[ \t]*").match(text, start)[0]


def docstrings(text, every=False):
    """Docstrings on lines of their own that can be taken out, or all there are."""
    starts = lexer.line_starts(text) + [len(text)]
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if ast.get_docstring(node, clean=False) is None:
            continue
        if every:
            yield Block(starts[node.body[0].lineno - 1], starts[node.body[0].end_lineno], "docstring")
            continue
        if len(node.body) < 2:
            continue
        first, following = node.body[0], node.body[1]
        last_line = lines[first.end_lineno - 1].encode()[first.end_col_offset :].decode().strip()
        alone = not lines[first.lineno - 1].encode()[: first.col_offset].decode().strip() and not last_line
        if alone and following.lineno > first.end_lineno:
            yield Block(starts[first.lineno - 1], starts[first.end_lineno], "docstring")


def shortened(text, block):
    """The replacement that leaves the first line of a block, if it has more."""
    lines = text[block.start : block.end].splitlines(keepends=True)
    said = [index for index, line in enumerate(lines) if re.search(r"\w", SIGNS.sub("", line))]
    if len(said) < 2:
        return None
    if block.kind == "lines":
        keep, end = said[0] + 1, len(lines)
    elif said[-1] == len(lines) - 1:
        return None
    else:
        keep, end = said[0] + 1, len(lines) - 1
    if keep >= end:
        return None
    start = block.start + sum(map(len, lines[:keep]))
    return (start, block.start + sum(map(len, lines[:end])), "")


def pairs(language, text, found, random, most):
    """(scope, replacements, what may be the reason of a refusal), of the blocks that were found."""
    if not found:
        return
    design = None
    if language == "python" and re.search(r"__doc__|\bdocopt\b", text):
        design = "docstrings are read when the program runs"

    def reason(blocks):
        return design if any(block.kind == "docstring" for block in blocks) else None

    without = [(block.start, block.end, "") for block in found]
    yield "file", without, reason(found)
    if len(found) > 3:
        yield "half", without[::2], reason(found[::2])
        yield "half", without[1::2], reason(found[1::2])
    short = [(block, edit) for block in found if (edit := shortened(text, block))]
    if short:
        yield "shortened", [edit for _, edit in short], reason([block for block, _ in short])
    if len(found) > 1:
        for block in random.sample(found, min(most, len(found))):
            yield "one", [(block.start, block.end, "")], reason([block])
