r"""Text as LaTeX: what means something to TeX is escaped, signs become commands, letters of Latin scripts become accents.

The rule: ASCII stays; a sign of SIGNS becomes its command; a letter with an accent becomes the accent's command and the letter;
what else there is (Chinese, Arabic) stays as it is, which LuaLaTeX and XeLaTeX set, and pdflatex does not (`needs_unicode`).
"""

from __future__ import annotations

import unicodedata

from tshdb.text.controls import clean

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": r"\textbar{}",
    '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}",
}  # fmt: skip
SIGNS = {
    "\u2013": "--", "\u2014": "---", "\u2212": "$-$", "\u00b1": r"$\pm$", "\u00d7": r"$\times$", "\u00f7": r"$\div$",
    "\u2264": r"$\leq$", "\u2265": r"$\geq$", "\u2260": r"$\neq$", "\u2248": r"$\approx$", "\u00b7": r"\textperiodcentered{}",
    "\u2026": r"\ldots{}", "\u00b0": r"\textdegree{}", "\u00b5": r"\textmu{}", "\u03bc": r"\textmu{}", "\u221e": r"$\infty$",
    "\u00b9": r"\textsuperscript{1}", "\u00b2": r"\textsuperscript{2}", "\u00b3": r"\textsuperscript{3}",
    "\u2192": r"$\rightarrow$", "\u2190": r"$\leftarrow$", "\u2018": "`", "\u2019": "'", "\u201c": "``", "\u201d": "''",
    "\u00a0": "~", "\u202f": r"\,", "\u2009": r"\,", "\u2011": "-", "\u2010": "-", "\u00a7": r"\S{}", "\u2020": r"\dag{}",
    "\u2021": r"\ddag{}", "\u00df": r"\ss{}", "\u00e6": r"\ae{}", "\u00c6": r"\AE{}", "\u00f8": r"\o{}", "\u00d8": r"\O{}",
    "\u0142": r"\l{}", "\u0141": r"\L{}", "\u0153": r"\oe{}", "\u0152": r"\OE{}", "\u0131": r"\i{}", "\u20ac": r"\texteuro{}",
    "\u03b1": r"$\alpha$", "\u03b2": r"$\beta$", "\u03b3": r"$\gamma$", "\u03b4": r"$\delta$", "\u03b5": r"$\epsilon$",
    "\u03ba": r"$\kappa$", "\u03bb": r"$\lambda$", "\u03c0": r"$\pi$", "\u03c1": r"$\rho$", "\u03c3": r"$\sigma$",
    "\u03c4": r"$\tau$", "\u03c7": r"$\chi$", "\u03c9": r"$\omega$", "\u0394": r"$\Delta$", "\u03a3": r"$\Sigma$",
    "\u03a9": r"$\Omega$",
}  # fmt: skip
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".", "\u0308": '"',
    "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0328": "k",
}  # fmt: skip


def escaped(text: object) -> str:
    """The text as LaTeX shows it; line ends are spaces, control characters are left out."""
    return "".join(map(_letter, unicodedata.normalize("NFC", " ".join(clean(text).split("\n")))))


def needs_unicode(text: str) -> bool:
    """Whether LaTeX that `escaped` made holds letters that pdflatex does not set."""
    return not text.isascii()


def _letter(letter: str) -> str:
    if letter == "\t":
        return " "
    known = SPECIAL.get(letter) or SIGNS.get(letter)
    if known is not None or letter.isascii():
        return known or letter
    base, *marks = unicodedata.normalize("NFD", letter)
    if not (base.isascii() and base.isalpha() and len(marks) == 1 and marks[0] in ACCENTS):
        return letter
    return f"\\{ACCENTS[marks[0]]}{{{base}}}"
