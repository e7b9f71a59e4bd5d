"""The Methods as Markdown, LaTeX and a Word document, each with its list of references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tshdb.tables.written.docx_file import new_document, saved
from tshdb.text.controls import clean
from tshdb.text.latex import escaped as latex
from tshdb.text.latex import needs_unicode
from tshdb.text.markdown import escaped as markdown

if TYPE_CHECKING:
    from tshdb.methods import Methods, Sentence

HEADING = "Methods"


def as_markdown(made: Methods) -> bytes:
    """Headings of the second level, references as a numbered list."""
    lines = [f"# {HEADING}", ""]
    for paragraph in made.paragraphs:
        text = " ".join(markdown(s.text) + _marks(made, s, "\\[{}\\]") for s in paragraph.sentences)
        lines += [f"## {markdown(paragraph.heading)}", "", text, ""]
    if made.references:
        lines += ["## References", "", *(f"{i}. {markdown(r.line)}" for i, r in enumerate(made.references, 1)), ""]
    return "\n".join(lines).encode("utf-8", "backslashreplace")


def as_latex(made: Methods) -> bytes:
    r"""A section to \input; citations are \cite, references a thebibliography."""
    lines = [f"\\section{{{HEADING}}}"]
    for paragraph in made.paragraphs:
        text = " ".join(latex(s.text) + _cite(made, s) for s in paragraph.sentences)
        lines += [f"\\subsection{{{latex(paragraph.heading)}}}", text, ""]
    if made.references:
        lines.append(f"\\begin{{thebibliography}}{{{len(made.references)}}}")
        lines += [f"\\bibitem{{tshdb{i}}} {latex(r.line)}" for i, r in enumerate(made.references, 1)]
        lines.append("\\end{thebibliography}")
    body = "\n".join([*lines, ""])
    head = "% Some letters are not Latin: set it with LuaLaTeX or XeLaTeX.\n" if needs_unicode(body) else ""
    return (head + body).encode("utf-8", "backslashreplace")


def as_docx(made: Methods) -> bytes:
    """Headings, paragraphs, and the references as numbered lines."""
    document = new_document(HEADING)
    document.add_heading(HEADING, 1)
    for paragraph in made.paragraphs:
        document.add_heading(clean(paragraph.heading), 2)
        document.add_paragraph(" ".join(clean(s.text) + _marks(made, s, "[{}]") for s in paragraph.sentences))
    if made.references:
        document.add_heading("References", 2)
        for i, reference in enumerate(made.references, 1):
            document.add_paragraph(f"{i}. {clean(reference.line)}")
    return saved(document)


def _marks(made: Methods, sentence: Sentence, mark: str) -> str:
    cited = made.cited(sentence)
    return f" {mark.format(', '.join(map(str, cited)))}" if cited else ""


def _cite(made: Methods, sentence: Sentence) -> str:
    cited = made.cited(sentence)
    return f" \\cite{{{','.join(f'tshdb{i}' for i in cited)}}}" if cited else ""


WRITERS = {"md": as_markdown, "latex": as_latex, "docx": as_docx}
