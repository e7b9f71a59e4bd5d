"""Write docs/python.ipynb: docs/python.md as a notebook, run beside the example's files: `make notebook`."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "tshdb" / "presets" / "fan2023" / "tcga-brca-pairs"
FILES = ("clinical.tsv.gz", "expression.csv.gz")
BLOCK = re.compile(r"```python\n(.*?)```\n?", re.S)


def notebook(text: str) -> nbformat.NotebookNode:
    """A Markdown text as a notebook: its Python blocks are the cells of code."""
    cells = []
    for number, part in enumerate(BLOCK.split(text)):
        if part.strip():
            new = nbformat.v4.new_code_cell if number % 2 else nbformat.v4.new_markdown_cell
            cells.append(new(part.strip(), id=f"cell-{len(cells)}"))
    return nbformat.v4.new_notebook(cells=cells)


def main() -> None:
    made = notebook((HERE / "python.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            shutil.copy(EXAMPLE / name, Path(folder) / name)
        NotebookClient(made, timeout=900, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    for cell in made.cells:
        cell.metadata.pop("execution", None)  # when it ran
    nbformat.write(made, HERE / "python.ipynb")


if __name__ == "__main__":
    main()
