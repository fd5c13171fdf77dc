"""What a file was before types were written into its documentation comments: JSDoc, PHPDoc, YARD, LuaLS."""
import re

import documentation

NAME = r"[\w$.\[\]=]+"
FORMS = {
    # What is replaced, and the groups that stay; a line of which nothing stays goes.
    "javascript": [
        (re.compile(r"(@(?:param|arg|argument|property|prop)\s+)\{([^{}\n]*)\}\s+(?=\[?\w[^\n]*?\s-?\s*\w)"), r"\1"),
        (re.compile(r"(@(?:returns?|throws)\s+)\{([^{}\n]*)\}\s+(?=\w)"), r"\1"),
    ],
    "php": [(re.compile(r"(@param\s+)([^\s$&.]+)\s+(?=[&.]*\$\w+ +\S)"), r"\1")],
    "ruby": [
        (re.compile(r"(@(?:param|yieldparam|option)\s+)\[([^\[\]\n]*)\]\s+(?=\w+\s+\w)"), r"\1"),
        (re.compile(r"(@(?:param|yieldparam)\s+\w+ )\[([^\[\]\n]*)\] (?=\w)"), r"\1"),
        (re.compile(r"(@(?:return|raise)\s+)\[([^\[\]\n]*)\]\s+(?=\w)"), r"\1"),
    ],
    "lua": [],
}
# Lines that say nothing but a type.
BARE = {
    "javascript": re.compile(r"^\s*\*\s*@(?:(?:param|arg)\s+\{([^{}\n]*)\}\s+\[?[\w.]+\]?|(?:returns?|type|this)\s+\{([^{}\n]*)\})\s*$", re.M),
    "php": re.compile(r"^\s*\*\s*@(?:param\s+([^\s$&.]+)\s+[&.]*\$\w+|(?:return|var)\s+(\S+))\s*$", re.M),
    "ruby": re.compile(r"^\s*#\s*@(?:param\s+\[([^\[\]\n]*)\]\s+\w+|param\s+\w+ \[([^\[\]\n]*)\]|return\s+\[([^\[\]\n]*)\])\s*$", re.M),
    "lua": re.compile(r"^\s*---\s?@(?:param\s+[\w.]+\??\s+([\w.]+(?:\[\]|\?)*)|return\s+([\w.]+(?:\[\]|\?)*)|type\s+([\w.]+(?:\[\]|\?)*))\s*$", re.M),
}
KNOWN = {
    "javascript": {"Array", "Object", "String", "Number", "Boolean", "Function", "Promise", "Error", "Map", "Set", "Date", "RegExp"},
    "php": {"DateTimeImmutable", "Throwable", "Exception", "Closure", "Traversable"},
    "ruby": {"String", "Symbol", "Array", "Hash", "Integer", "Boolean", "Object", "Proc", "Class", "Module", "Regexp", "Range", "Float", "Fixnum", "Numeric", "IO", "File", "Exception", "Set", "Time", "Method", "Void", "Enumerable"},
    "lua": set(),
}


def pairs(language, text, tokens, random, most):
    """(scope, replacements, what may be the reason of a refusal, all types, those that are new, none of the others)."""
    units = []
    code = "".join(text[start:end] + " " for kind, start, end in tokens if kind != "comment")
    words = set(re.findall(r"\w+", code))
    for block in documentation.blocks(language, text, tokens):
        part = text[block.start : block.end]
        if language in ("javascript", "php") and not part.lstrip().startswith("/**"):
            continue
        if re.search(r"@(typedef|callback|template|phpstan|psalm|overload|class\b|alias|generic|method|example)", part):
            continue
        edits, types, lost = [], [], 0
        for match in BARE[language].finditer(part):
            start, end = match.span()
            start = part.rfind("\n", 0, start + len(match[0]) - len(match[0].lstrip())) + 1
            edits.append((block.start + start, block.start + min(end + 1, len(part)), ""))
            group = next(number for number in range(1, match.re.groups + 1) if match[number] is not None)
            types.append((block.start + match.start(group), block.start + match.end(group)))
        for form, replacement in FORMS[language]:
            for match in form.finditer(part):
                edits.append((block.start + match.start(), block.start + match.end(), match.expand(replacement)))
                types.append((block.start + match.start(2), block.start + match.end(2)))
        if not edits:
            continue
        edits.sort()
        if any(first[1] > second[0] for first, second in zip(edits, edits[1:])):
            continue
        left = rest(part, block.start, edits)
        if not re.search(r"\w", documentation.SIGNS.sub("", left)) and not re.search(r"\w", left):
            edits = [(block.start, block.end, "")]
        names = {name for start, end in types for name in re.findall(r"(?<![\w.\\:])[A-Z]\w*", re.sub(r"'[^']*'", "", text[start:end]))}
        unknown = names - words - KNOWN[language]
        units.append((edits, types, "a type that the file neither defines nor imports" if unknown else None))
    if not units:
        return
    every = [span for _, types, _ in units for span in types]

    def together(scope, chosen):
        edits = sorted(edit for unit in chosen for edit in unit[0])
        design = next((unit[2] for unit in chosen if unit[2]), None)
        return scope, edits, design, every, [span for unit in chosen for span in unit[1]], []

    free = [unit for unit in units if not unit[2]]
    if free:
        yield together("file", free)
        if len(free) > 3:
            yield together("half", free[::2])
            yield together("half", free[1::2])
    for unit in random.sample(units, min(most, len(units))):
        yield together("one", [unit])


def rest(part, offset, edits):
    out, at = "", 0
    for start, end, new in edits:
        out += part[at : start - offset] + new
        at = end - offset
    return out + part[at:]
