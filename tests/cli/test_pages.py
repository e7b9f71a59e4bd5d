"""A page runs the scripts of its template and nothing that a study brought in; it loads nothing from elsewhere."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from tshdb.pages import html

TEMPLATES = Path(html.__file__).parent / "templates"
POLICY = re.compile('<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.glob("*.html")))
def test_every_page_has_a_policy_and_static_scripts(template):
    source = (TEMPLATES / template).read_text(encoding="utf-8")
    assert template == "page.html" or '{% extends "page.html" %}' in source
    assert not re.search(r"<script(?!>)|\bon\w+=|javascript:|http-equiv=\"refresh", source), (
        "scripts stand in <script> alone"
    )
    for script in html.SCRIPT.findall(source):
        assert "{{" not in script and "{%" not in script, "a script that holds data has no digest"


def test_the_policy_is_by_digest_and_data_brings_no_script_in():
    evil = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"
    page = html.rendered("qc.html", title=evil, rows=[])
    (policy,) = POLICY.findall(page)
    (script,) = html.SCRIPT.findall(page)
    own = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{own}';" in policy.replace("&#39;", "'")
    assert "default-src" in policy and "unsafe-eval" not in policy and "http" not in policy.replace("http-equiv", "")
    assert "<script>alert" not in page and "<img src=x" not in page


def test_a_page_without_scripts_allows_none():
    with pytest.raises(UndefinedError):
        html.rendered("report.html")
    assert "script-src 'none'" in html._policy("<p>no script</p>")
