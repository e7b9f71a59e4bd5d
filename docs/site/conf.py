"""Sphinx's settings for the pages of the manual: `make site`. build.py puts the pages where Sphinx looks for them."""

from __future__ import annotations

project = "tshdb"
author = copyright = "the authors of tshdb"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
master_doc = "index"
language = "en"
smartquotes = False  # commands are copied from here
myst_heading_anchors = 4
html_theme = "furo"
html_title = "tshdb"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = False
html_show_copyright = html_show_sphinx = False
html_last_updated_fmt = None  # the same pages, the same bytes
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style, pygments_dark_style = "tango", "monokai"
