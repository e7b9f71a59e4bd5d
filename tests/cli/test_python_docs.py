"""The blocks of docs/python.md run one after the other, beside the example's files, as a reader would run them."""

from __future__ import annotations

import json
import re
import shutil

import tshdb
from tests.support.program import ROOT
from tshdb.file_content import Finding
from tshdb.loading import Loaded
from tshdb.vocabulary import Severity

EXAMPLE = ROOT / "tshdb/presets/fan2023/tcga-brca-pairs"
FEWER = ("repeats", "outer_folds", "n_permutations", "n_bootstrap")  # parameters that cost time and prove nothing here


def test_the_blocks_of_the_page_run(tmp_path, monkeypatch, capsys):
    for name in ("clinical.tsv.gz", "expression.csv.gz"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(encoding="utf-8"), re.S)
    assert len(blocks) > 10
    names: dict = {}
    for number, block in enumerate(blocks):
        exec(compile(block, "docs/python.md", "exec"), names)
        if number == 0:
            settings = tmp_path / "brca/study.toml"
            settings.write_text(re.sub(rf"^({'|'.join(FEWER)}) = \d+", r"\1 = 3", settings.read_text(), flags=re.M))
            names["study"] = tshdb.open("brca")
    said = capsys.readouterr().out
    assert "tumor_stroma_development@1 109" in said and "Did you mean tumor_stroma_development" in said
    assert (tmp_path / "km.svg").read_text().startswith("<?xml") and "</html>" in (tmp_path / "report.html").read_text()
    for shown in ("rebuilt", "table", "checked", "study"):
        assert names[shown]._repr_html_().startswith("<p>"), shown
    assert names["rebuilt"].report.n_failed == 0
    shown = _notebook(blocks)
    assert shown['study.figure("km")']["image/svg+xml"] == (tmp_path / "km.svg").read_text(), (
        "not run since: make notebook"
    )
    assert shown[blocks[5].strip()]["text/html"] == names["table"]._repr_html_()


def _notebook(blocks: list[str]) -> dict[str, dict]:
    """Cell -> what the notebook shows of it. Its cells are the blocks of the page, and each ran to its end."""
    cells = json.loads((ROOT / "docs/python.ipynb").read_text(encoding="utf-8"))["cells"]
    code = {"".join(cell["source"]): cell["outputs"] for cell in cells if cell["cell_type"] == "code"}
    assert list(code) == [block.strip() for block in blocks], "the page was changed since: make notebook"
    assert not any(part["output_type"] == "error" for parts in code.values() for part in parts)
    return {
        source: {kind: "".join(data) for part in parts for kind, data in part.get("data", {}).items()}
        for source, parts in code.items()
    }


def test_an_open_study_sees_what_is_edited_in_study_toml(core):
    study = tshdb.open(core.root)
    assert study.plan("survival_groups").n_due == 0
    settings = core.root / "study.toml"
    settings.write_text(settings.read_text().replace("seed = 20230901", "seed = 7"))
    assert study.settings.study.seed == 7 and study.plan("survival_groups").n_due > 0


def test_what_was_loaded_is_shown_as_text_whatever_files_are_called():
    finding = Finding(3, None, None, "rna.not-a-number", Severity.ERROR, "<b>no</b>")
    shown = Loaded("<script>x</script>", findings=[finding], by_table={"patients": {"inserted": 1}})._repr_html_()
    assert "<script" not in shown and "<b>" not in shown and "&lt;script" in shown and "inserted" in shown
