"""Makes pairs and harm of the files of packages: `make.py FOLDER`, where scripts/corpus put them; writes FOLDER/cases.jsonl.

Chance is seeded by a file's name, so that the same files give the same cases.
"""
import ast
import collections
import fnmatch
import json
import pathlib
import random
import subprocess
import sys

import documentation
import hints_comments
import hints_python
import lexer
import mutants

# Of each class per pair of a whole file; of how many classes one per pair of a part.
MUTANTS, CLASSES_OF_PARTS = 2, 4
# Of a pair each, per file; and files per language.
PARTS = 5
FILES = 9
LONGEST, SHORTEST = 16_000, 600


def main(folder):
    folder = pathlib.Path(folder)
    chosen = list(files(folder))
    typescript = hints_typescript(folder, [path for _, language, path, _ in chosen if language == "typescript"])
    count = collections.Counter()
    with open(folder / "cases.jsonl", "w") as out:
        for package, language, path, name in chosen:
            case = made(language, path, typescript.get(path)) if count[language] < FILES else None
            if case:
                count[language] += 1
                json.dump({"language": language, "package": package, "file": name, **case}, out)
                out.write("\n")


def files(folder):
    """(package, language, path, name) of what the table names; in an order that chance made."""
    table = pathlib.Path(__file__).with_name("packages.tsv").read_text().splitlines()
    by_language = {}
    for line in table:
        if not line or line.startswith("#"):
            continue
        registry, name, version, _, language, patterns = line.split("\t")
        root = folder / "packages" / registry / name.replace("/", "+")
        found = sorted(p for p in root.rglob("*") if p.is_file())
        matching = [p for p in found if any(fnmatch.fnmatch(str(p.relative_to(root)), pattern) for pattern in patterns.split())]
        if not matching:
            sys.exit(f"corpus: {name} {version} has no file such as {patterns}")
        for path in matching:
            if SHORTEST <= path.stat().st_size <= LONGEST:
                by_language.setdefault(language, []).append((f"{name} {version}", language, path, str(path.relative_to(root))))
    for language, found in sorted(by_language.items()):
        random.Random(language).shuffle(found)
        if language in hints_comments.FORMS:
            # Types in comments are not to be found everywhere.
            found.sort(key=lambda file: not hints_comments.BARE[language].search(file[2].read_bytes().decode(errors="replace")))
        yield from found[: 4 * FILES]


def hints_typescript(folder, paths):
    command = ["node", str(pathlib.Path(__file__).with_name("hints_typescript.cjs")), str((folder / "packages/npm/typescript").resolve())]
    done = subprocess.run(command, input="\n".join(map(str, paths)), capture_output=True, text=True, check=True)
    return dict(zip(paths, map(json.loads, done.stdout.splitlines())))


def made(language, path, typescript):
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text or "\t " in text and language == "python":
        return None
    if language == "python":
        try:
            ast.parse(text)
        except SyntaxError:
            return None
    chance = random.Random(path.name)
    tokens = lexer.tokens(language, text)
    bytes_at = byte_offsets(text)
    pairs = []

    def add(promise, scope, edits, design, free, kept=(), new=()):
        code = mutants.Code(language, promise, text, tokens, free)
        code.kept, code.new = kept, new
        most, classes = (MUTANTS, None) if scope in ("file", "half") else (1, CLASSES_OF_PARTS)
        harm = [] if design else mutants.of(code, chance, most, classes)
        harm = [(name, [in_bytes(edit, bytes_at) for edit in edits]) for name, edits in harm]
        edits = [in_bytes(edit, bytes_at) for edit in edits]
        pairs.append({"promise": promise, "scope": scope, "edits": edits, "design": design, "mutants": harm})

    blocks = documentation.blocks(language, text, tokens)
    # All documentation may be rewritten.
    docstrings = [(block.start, block.end) for block in documentation.docstrings(text, every=True)] if language == "python" else []
    for scope, edits, design in documentation.pairs(language, text, blocks, chance, PARTS):
        add("documentation", scope, edits, design, changed(edits, blocks) + docstrings)
    for scope, edits, design, every, new, kept in hints(language, text, tokens, chance, typescript):
        add("hints", scope, edits, design, list(every) + [(a, b) for a, b, _ in edits], kept, new)
    return {"text": text, "pairs": pairs} if pairs else None


def changed(edits, blocks):
    """What an edit that documents may change: what it brings; with it the rest of a comment that it makes longer."""
    return [(block.start, block.end) for block in blocks for start, end, _ in edits if block.start < end and start < block.end]


def hints(language, text, tokens, chance, typescript):
    if language == "python":
        yield from hints_python.pairs(text, chance, PARTS)
    elif language in hints_comments.FORMS:
        yield from hints_comments.pairs(language, text, tokens, chance, PARTS)
    elif typescript and typescript["units"] and max(text) < "\U00010000":
        yield from typescript_pairs(typescript["units"], typescript["types"], chance)


def typescript_pairs(units, other_types, chance):
    every = sorted((start, end) for unit in units for start, end, _ in unit["edits"])
    types = sorted((start, end) for unit in units for _, end, start in unit["edits"])
    # What may change on its own account: all types but those of aliases and assertions.
    every += [tuple(span) for span in other_types]

    def together(scope, chosen):
        edits = sorted((start, end, "") for unit in chosen for start, end, _ in unit["edits"])
        new = {(start, end) for unit in chosen for _, end, start in unit["edits"]}
        # A function within an annotation or a default goes with what is around it.
        edits = [edit for index, edit in enumerate(edits) if not any(other[0] <= edit[0] and edit[1] <= other[1] for other in edits if other != edit)]
        design = next((unit["design"] for unit in chosen if unit["design"]), None)
        return scope, edits, design, every, sorted(new), [span for span in types if span not in new]

    yield together("file", units)
    if len(units) > 3:
        yield together("half", units[::2])
        yield together("half", units[1::2])
    for unit in chance.sample(units, min(PARTS, len(units))):
        yield together("one", [unit])


def byte_offsets(text):
    if text.isascii():
        return None
    offsets, at = [], 0
    for char in text:
        offsets.append(at)
        at += len(char.encode())
    return offsets + [at]


def in_bytes(edit, offsets):
    start, end, new = edit
    return [start, end, new] if offsets is None else [offsets[start], offsets[end], new]


if __name__ == "__main__":
    main(sys.argv[1])
