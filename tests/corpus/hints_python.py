"""What a file of Python was before it was annotated, by CPython's own parser."""
import ast
import re

import lexer

# Decorators of which everyone knows that they read no annotations.
HARMLESS = {
    "staticmethod", "classmethod", "property", "abstractmethod", "overload", "override", "final", "setter", "getter",
    "deleter", "lru_cache", "cache", "cached_property", "contextmanager", "asynccontextmanager", "wraps",
}  # fmt: skip
READING = re.compile(r"get_type_hints|__annotations__|get_annotations|__annotate__")
TYPING = ("typing", "collections.abc", "typing_extensions", "types")


class Unit:
    """A function or a variable: what to take out, and what may be in the way."""

    def __init__(self, edits, annotations, design):
        self.edits, self.annotations, self.design = edits, annotations, design


class Source:
    def __init__(self, text):
        self.text = text
        self.tree = ast.parse(text)
        self.lines = [line.encode() for line in text.splitlines(keepends=True)]
        self.starts = lexer.line_starts(text)
        self.tokens = lexer.python(text)
        self.at = {start: index for index, (_, start, _) in enumerate(self.tokens)}

    def offset(self, line, column):
        return self.starts[line - 1] + len(self.lines[line - 1][:column].decode())

    def span(self, node):
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def sign(self, token):
        return self.text[token[1] : token[2]]

    def erase(self, annotation, before):
        """From behind the token in front of `before` up to the end of the annotation."""
        start, end = self.span(annotation)
        index = next(i for i, token in enumerate(self.tokens) if token[1] >= start)
        while self.sign(self.tokens[index]) != before:
            index -= 1
        # Brackets around the annotation belong to it.
        behind = index + 1
        while self.tokens[behind][2] < end:
            behind += 1
        depth = sum({"(": 1, ")": -1}.get(self.sign(t), 0) for t in self.tokens[index + 1 : behind + 1])
        while depth > 0:
            behind += 1
            depth -= self.sign(self.tokens[behind]) == ")"
        return self.tokens[index - 1][2], self.tokens[behind][2]


def last_name(node):
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "?")


def units(source):
    """Everything that is annotated, the functions' own variables apart from them."""
    text = source.text
    reads = "the file reads annotations" if READING.search(text) else None

    def visit(node, around):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from function(child, around)
                yield from visit(child, around + [child])
            elif isinstance(child, ast.ClassDef):
                yield from visit(child, around + [child])
            elif isinstance(child, ast.AnnAssign):
                yield from variable(child, around)
            else:
                yield from visit(child, around)

    def function(node, around):
        edits, annotations = [], []
        arguments = node.args
        every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        for argument in every + [arg for arg in (arguments.vararg, arguments.kwarg) if arg]:
            if argument.annotation:
                start, end = source.erase(argument.annotation, ":")
                edits.append((start, end, ""))
                annotations.append(source.span(argument.annotation))
        if node.returns:
            start, end = source.erase(node.returns, "->")
            edits.append((start, end, ""))
            annotations.append(source.span(node.returns))
        if not edits:
            return
        design = reads
        classes = [outer for outer in around if isinstance(outer, ast.ClassDef)]
        decorators = [last_name(d) for d in node.decorator_list]
        decorators += [last_name(d) for outer in classes[-1:] for d in outer.decorator_list]
        if any(name not in HARMLESS for name in decorators):
            design = design or "a decorator that may read annotations"
        if re.search(r"\b(register|command|callback|tool|inject|provider)\([^()]*\b" + node.name + r"\b", text):
            design = design or "a function that is handed over to what may read annotations"
        yield Unit(edits, annotations, design)

    def variable(node, around):
        local = around and not isinstance(around[-1], ast.ClassDef)
        if node.value is None:
            # A declaration without a value is a line of its own.
            start, end = source.span(node)
            begin = text.rfind("\n", 0, start) + 1
            stop = text.find("\n", end) + 1
            lone = not text[begin:start].strip() and not text[end:stop].strip() and stop
            if not lone or around and len(around[-1].body) < 2:
                return
            edit = (begin, stop, "")
        else:
            start, end = source.erase(node.annotation, ":")
            edit = (start, end, "")
        design = None if local else reads
        if around and isinstance(around[-1], ast.ClassDef):
            owner = around[-1]
            bases = [last_name(base) for base in owner.bases if not isinstance(base, ast.Subscript)]
            if owner.decorator_list or owner.keywords or any(base not in ("object", "Exception") for base in bases):
                design = design or "fields of a class whose base or decorator may read them"
        yield Unit([edit], [source.span(node.annotation)], design)

    yield from visit(source.tree, [])


def type_imports(source, spans):
    """Imports that nothing but annotations uses, from modules of types."""
    inside = lambda at: any(start <= at < end for start, end in spans)
    used = {source.sign(token) for token in source.tokens if token[0] == "word" and not inside(token[1])}
    strings = [source.sign(token) for token in source.tokens if token[0] == "string" and not inside(token[1])]
    for node in source.tree.body:
        guard = isinstance(node, ast.If) and last_name(node.test) == "TYPE_CHECKING"
        statements = node.body if guard else [node]
        typing = all(isinstance(s, ast.ImportFrom) and (guard or s.module in TYPING and s.level == 0) for s in statements)
        if not typing or guard and node.orelse:
            continue
        names = [alias.asname or alias.name for statement in statements for alias in statement.names]
        code = source.text[slice(*source.span(node))]
        # A name that is seen once is seen in the import itself.
        seen = lambda name: sum(1 for token in source.tokens if token[0] == "word" and source.sign(token) == name and not inside(token[1]))
        if any(seen(name) > len(re.findall(rf"\b{name}\b", code)) for name in names) or "#" in code:
            continue
        if any(re.search(rf"\b{name}\b", string) for name in names for string in strings):
            continue
        start, end = source.span(node)
        stop = source.text.find("\n", end) + 1
        if stop and not source.text[end:stop].strip():
            yield (start, stop, "")


def pairs(text, random, most):
    """(scope, replacements, what may be the reason of a refusal, all annotations, those that are new, the others)."""
    source = Source(text)
    found = [unit for unit in units(source)]
    spans = [span for unit in found for span in unit.annotations]
    if not found:
        return

    def together(scope, units, imports=()):
        edits = sorted([edit for unit in units for edit in unit.edits] + list(imports))
        edits = [edit for index, edit in enumerate(edits) if index == 0 or edits[index - 1][1] <= edit[0]]
        design = next((unit.design for unit in units if unit.design), None)
        new = [span for unit in units for span in unit.annotations]
        return scope, edits, design, spans, new, [span for span in spans if span not in new]

    free = [unit for unit in found if not unit.design]
    if free:
        imports = list(type_imports(source, spans)) if len(free) == len(found) else []
        yield together("file", free, imports)
        if len(free) > 3:
            yield together("half", free[::2])
            yield together("half", free[1::2])
    for unit in random.sample(found, min(most, len(found))):
        yield together("one", [unit])
