"""Texts that would do something where they are shown: on pages, in spreadsheets, on terminals, in drawings and in XML."""

from __future__ import annotations

HTML = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "\"><script>alert(1)</script>",
    "' onmouseover='alert(1)", "<a href=\"javascript:alert(1)\">x</a>", "<iframe src=javascript:alert(1)></iframe>",
    "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "<style>@import 'x';</style>",
    "<base href=//x.example/>", "<meta http-equiv=refresh content=0;url=javascript:alert(1)>",
    "<form action=javascript:alert(1)>",
    "{{ 7 * 7 }}{% raw %}", "&lt;script&gt;alert(1)&lt;/script&gt;",
)  # fmt: skip
FORMULAS = (
    "=1+1", "=HYPERLINK(\"http://x.example\",\"x\")", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1,1)", "\t=1+1", "\r=1+1",
    "\n=1+1", "\"=1+1\"", " =1+1", "＝1+1",
)  # fmt: skip
TERMINAL = (
    "\x1b[2J", "\x1b]8;;http://x.example\x1b\\x\x1b]8;;\x1b\\", "\x1b]0;title\x07", "\x9b2J", "\x07\x07", "[/foo]",
    "[link=x]y[/link]",
    "a\x08\x08b\x7f",
)  # fmt: skip
MATH = ("$\\frac{$", "$x$", "$\\undefined{x}$", "$$", "\\$", "$\\mathdefault{")
XML = ("a\x01b", "a\x0bb", "a\x1fb", "]]><b>&amp;")
KINDS = {"html": HTML, "csv": FORMULAS, "terminal": TERMINAL, "math": MATH, "xml": XML}
ALL = tuple(text for texts in KINDS.values() for text in texts)
EVERYTHING = " ".join(ALL)
