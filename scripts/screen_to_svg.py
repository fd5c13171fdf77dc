"""Screens of a terminal, as `tmux capture-pane -e` prints them, to an SVG with a window around it."""

import re
import unicodedata
from html import escape
from typing import NamedTuple

FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
SIZE = 13
# A cell of that size, in the fonts' common proportion.
WIDTH, HEIGHT = 7.8, 17
MARGIN, BAR = 14, 34
BACKGROUND, FOREGROUND = "#14161b", "#e0e2ea"
# The 16 named colours, tuned to that background.
NAMED = (
    "#2b2f3a #f07178 #a6d189 #e5c890 #8caaee #d7a6e8 #81c8be #c6cad8 "
    "#6c7086 #ff8f93 #b8e0a0 #f2d9a0 #a5bdf5 #e6bff2 #9adbd2 #ffffff"
).split()


class Style(NamedTuple):
    """How a cell looks; a colour of None is the default."""

    fg: str | None = None
    bg: str | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False


class Run(NamedTuple):
    """Neighbouring cells of one style."""

    column: int
    cells: int
    text: str
    style: Style


def indexed(number):
    if number < 16:
        return NAMED[number]
    if number < 232:
        levels = [0, 95, 135, 175, 215, 255]
        number -= 16
        return "#%02x%02x%02x" % (levels[number // 36], levels[number // 6 % 6], levels[number % 6])
    return "#%02x%02x%02x" % ((8 + (number - 232) * 10,) * 3)


def styled(style, parameters):
    """The style after an SGR sequence."""
    codes = [int(code) if code else 0 for code in re.split("[;:]", parameters)]
    while codes:
        code = codes.pop(0)
        if code in (38, 48):
            kind = codes.pop(0)
            colour = indexed(codes.pop(0)) if kind == 5 else "#%02x%02x%02x" % tuple(codes.pop(0) for _ in range(3))
            style = style._replace(**{"fg" if code == 38 else "bg": colour})
        elif code == 58:
            # The colour of an underline.
            del codes[: 2 if codes[0] == 5 else 4]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = style._replace(fg=NAMED[code - 30 if code < 90 else code - 82])
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style = style._replace(bg=NAMED[code - 40 if code < 100 else code - 92])
        else:
            style = {
                0: Style(),
                1: style._replace(bold=True),
                2: style._replace(dim=True),
                3: style._replace(italic=True),
                4: style._replace(underline=True),
                7: style._replace(reverse=True),
                22: style._replace(bold=False, dim=False),
                23: style._replace(italic=False),
                24: style._replace(underline=False),
                27: style._replace(reverse=False),
                39: style._replace(fg=None),
                49: style._replace(bg=None),
            }.get(code, style)
    return style


def runs(line, style=None):
    """The runs of a line, and the style at its end: tmux goes on with it in the next."""
    style, found, column = style or Style(), [], 0
    for part in re.split(r"(\x1b\[[0-9;:]*m)", line):
        if part.startswith("\x1b["):
            style = styled(style, part[2:-1])
        elif part:
            cells = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in part)
            found.append(Run(column, cells, part, style))
            column += cells
    return found, style


class Sheet:
    """The styles that a picture uses, each with a short class name."""

    def __init__(self):
        self.names = {}

    def name(self, rule):
        return self.names.setdefault(rule, f"s{len(self.names)}")

    def css(self):
        return "".join(f".{name}{{{rule}}}" for rule, name in self.names.items())


def number(value):
    return f"{value:.1f}".removesuffix(".0")


def draw(line, row, sheet):
    """The elements of one line: what is behind its text, then the text."""
    top = MARGIN + BAR + row * HEIGHT
    behind, text = [], []
    for run in line:
        fg, bg = run.style.fg or FOREGROUND, run.style.bg
        if run.style.reverse:
            fg, bg = bg or BACKGROUND, fg
        x = MARGIN + run.column * WIDTH
        if bg and bg != BACKGROUND:
            name = sheet.name(f"fill:{bg}")
            behind.append(
                f'<rect class="{name}" x="{number(x)}" y="{top}" width="{number(run.cells * WIDTH + 0.3)}" height="{HEIGHT}"/>'
            )
        shown = run.text.strip()
        if not shown:
            continue
        lead = len(run.text) - len(run.text.lstrip())
        cells = run.cells - (len(run.text) - len(shown))
        rule = f"fill:{fg}" + ";font-weight:600" * run.style.bold + ";font-style:italic" * run.style.italic
        rule += ";opacity:.65" * run.style.dim + ";text-decoration:underline" * run.style.underline
        # Its length is said, so that another font keeps the columns.
        text.append(
            f'<text class="{sheet.name(rule)}" x="{number(x + lead * WIDTH)}" y="{top + 12.5}"'
            f' textLength="{number(cells * WIDTH)}">{escape(shown, quote=False)}</text>'
        )
    return "".join(behind + text)


def trimmed(screen):
    """Without empty lines at its end."""
    while screen and not re.sub(r"\x1b\[[0-9;:]*m", "", screen[-1]).strip():
        screen = screen[:-1]
    return screen


def parsed(screen):
    lines, style = [], None
    for line in screen:
        found, style = runs(line, style)
        lines.append(found)
    return lines


def window(title, columns, rows, sheet, body, extra=""):
    width, height = round(2 * MARGIN + columns * WIDTH), 2 * MARGIN + BAR + rows * HEIGHT
    dots = "".join(
        f'<circle cx="{22 + 20 * index}" cy="20" r="6" fill="{colour}"/>'
        for index, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"<style>text{{font:{SIZE}px {FONT}}}{sheet.css()}{extra}</style>\n"
        f'<rect width="{width}" height="{height}" rx="10" fill="{BACKGROUND}"/>'
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="9.5" fill="none" stroke="#fff" stroke-opacity=".14"/>'
        f'{dots}<text x="{width / 2}" y="25" text-anchor="middle" fill="#9b9ea4">{escape(title)}</text>\n'
        f"{body}\n</svg>\n"
    )


def still(title, screen):
    """One screen."""
    lines, sheet = parsed(trimmed(screen)), Sheet()
    body = "\n".join(filter(None, (draw(line, row, sheet) for row, line in enumerate(lines))))
    columns = max(run.column + run.cells for line in lines for run in line)
    return window(title, columns, len(lines), sheet, body)


def sequence(title, frames):
    """Screens and the seconds that each is shown, again and again; the last where nothing moves."""
    sheet, screens = Sheet(), [parsed(screen) for screen, _ in frames]
    rows = max(map(len, screens))
    columns = max(run.column + run.cells for lines in screens for line in lines for run in line)
    screens = [lines + [[]] * (rows - len(lines)) for lines in screens]
    common = {row for row in range(rows) if all(lines[row] == screens[0][row] for lines in screens)}
    body = ["".join(draw(screens[0][row], row, sheet) for row in sorted(common))]
    total, begin, extra = sum(seconds for _, seconds in frames), 0.0, []
    for index, (lines, (_, seconds)) in enumerate(zip(screens, frames)):
        rest = "\n".join(filter(None, (draw(lines[row], row, sheet) for row in range(rows) if row not in common)))
        shown = index == len(frames) - 1
        body.append(f'<g class="f{index}" opacity="{int(shown)}">\n{rest}\n</g>')
        start, end = begin / total * 100, (begin + seconds) / total * 100
        steps = f"0%{{opacity:{int(index == 0)}}}{start:.2f}%{{opacity:1}}{end:.2f}%{{opacity:{int(shown)}}}100%{{opacity:{int(shown)}}}"
        extra.append(f"@keyframes k{index}{{{steps}}}.f{index}{{animation:k{index} {total:g}s step-end infinite}}")
        begin += seconds
    calm = "@media(prefers-reduced-motion:reduce){g{animation:none!important}}"
    return window(title, columns, rows, sheet, "\n".join(body), "".join(extra) + calm)
