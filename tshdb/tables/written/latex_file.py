r"""LaTeX: each printed table as a float with rules of booktabs, its title as the caption, its notes below in small letters.

A long table is a longtable, whose head comes again on every page. The file is to be \input into a document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tshdb.text.latex import escaped, needs_unicode

if TYPE_CHECKING:
    from tshdb.tables import Layout, Table

MISSING = "\\textperiodcentered{}"
LONG = 40  # rows, from which a table goes over pages
WIDE = 34  # letters, from which a column of text wraps
ROOM = 0.3  # of the line, for such a column


def written(table: Table) -> bytes:
    """The printed tables, one below another, with what they need said in the first lines."""
    body = "\n".join(
        line for i, layout in enumerate(table.layouts, 1) for line in _lines(layout, f"tab:{table.number}-{i}")
    )
    packages = ["booktabs", "array", *(["longtable"] if "{longtable}" in body else [])]
    head = [f"% In the preamble: \\usepackage{{{','.join(packages)}}}"]
    if needs_unicode(body):
        head.append("% Some letters are not Latin: set it with LuaLaTeX or XeLaTeX, and a font that has them.")
    return "\n".join([*head, body, ""]).encode("utf-8", "backslashreplace")


def _lines(layout: Layout, label: str) -> Iterator[str]:
    is_long = len(layout.cells) > LONG
    columns = "".join(_column(layout, i) for i in range(len(layout.headers)))
    head = _row([escaped(h) for h in layout.headers])
    caption = f"\\caption{{{escaped(layout.title)}}}\\label{{{label}}}"
    if is_long:
        yield f"\\begin{{longtable}}{{{columns}}}"
        yield f"{caption}\\\\"
        yield f"\\toprule\n{head}\n\\midrule\n\\endfirsthead"
        yield f"\\toprule\n{head}\n\\midrule\n\\endhead"
        yield "\\bottomrule\n\\endfoot"
    else:
        yield "\\begin{table}\n\\centering"
        yield caption
        yield f"\\begin{{tabular}}{{{columns}}}"
        yield f"\\toprule\n{head}\n\\midrule"
    for row in layout.as_printed():
        yield _row([MISSING if v is None else escaped(v) for v in row])
    if not is_long:
        yield "\\bottomrule\n\\end{tabular}"
    else:
        yield "\\end{longtable}"
    for note in layout.notes:
        yield f"\\par\\smallskip\\begin{{minipage}}{{\\linewidth}}\\footnotesize\\raggedright {escaped(note)}\\end{{minipage}}"
    if not is_long:
        yield "\\end{table}"


def _column(layout: Layout, at: int) -> str:
    if at in layout.right:
        return "r"
    longest = max((len(str(row[at])) for row in layout.cells if row[at] is not None), default=0)
    return "l" if longest < WIDE else f">{{\\raggedright\\arraybackslash}}p{{{ROOM}\\linewidth}}"


def _row(cells: list[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
