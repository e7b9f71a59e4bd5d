"""tshdb demo: the main job on real data, told step by step."""

from __future__ import annotations

import csv
import gzip
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.console import columns, out

COLLECTION, COHORT = "tcga-brca", "tumor_stroma_development"
ARRIVE_LATER = 10


def add_to(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    folder: Annotated[Path, typer.Argument(help="The study folder to make; it must not exist.")] = Path("demo-study"),
    examples: Annotated[
        Path | None, typer.Option(help="Where expression.csv.gz and clinical.tsv.gz lie, if others than ours.")
    ] = None,
) -> None:
    """The whole way on real data: 110 TCGA-BRCA pairs, from files to Table 2, then ten patients arrive.

    Example: tshdb demo demo-study
    """
    from tshdb import presets
    from tshdb.errors import InvalidInput, NotFound
    from tshdb.places import made_in

    examples = examples or presets.example("fan2023")
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput("the folder is not empty", where=str(folder), repair="Name a new folder")
    for name in ("expression.csv.gz", "clinical.tsv.gz"):
        if not (examples / name).is_file():
            raise NotFound(f"no {name}", where=str(examples), repair="Name a folder that has it: --examples DIR")
    started = time.perf_counter()
    sys.stdout.reconfigure(line_buffering=True)  # so that talk and data keep their order in a pipe, too
    _Story(folder, examples).tell()
    out()
    page = made_in(folder, "reports") / "report.html"
    out(
        f"That took {time.perf_counter() - started:.0f} s. The study is in {folder}, its report: {page.resolve().as_uri()}"
    )
    out(f"Look around: cd {folder} && tshdb status")
    out("One number, down to files and lines: tshdb lineage cox_terms 'Cytotoxic lymphocytes'")
    out("A study of your own: tshdb init my-study")


class _Story:
    """The steps of the demo; every command is the one that a user would type."""

    def __init__(self, folder: Path, examples: Path):
        self.folder, self.examples = folder, examples

    def tell(self) -> None:
        self._title("1. A study, and what the archive gave us in spring: 100 of 110 patients")
        from cli.study import init

        self._command(f"tshdb init {self.folder}", lambda: init(self.folder))
        spring, autumn = self.folder / "raw" / "spring", self.folder / "raw" / "autumn"
        held_back = self._split(spring, autumn)
        self._ingest(spring)
        self._title("2. The development cohort is frozen: what is fitted on it cannot move unseen")
        self._define_and_freeze()
        self._title("3. What is due, and why; then compute it")
        self._plan()
        out(" The validation cohort waits for patients with the RNA of the tumour alone; these files hold none.")
        self._rebuild()
        self._title("4. The paper's Table 2, on 100 pairs")
        self._table(f"{COHORT}@1")
        self._title(f"5. Autumn: {ARRIVE_LATER} more patients arrive, such as {held_back[0]}")
        self._ingest(autumn)
        self._plan()
        self._rebuild()
        out(" Only the ten were computed. Nothing was fitted again; Table 2 of version 1 stands, to the last digit:")
        self._query(f"SELECT cohort, term, hazard_ratio, p_value, n FROM cox_terms "
                    f"WHERE cohort = '{COHORT}@1' AND term = 'Cytotoxic lymphocytes'")  # fmt: skip
        self._title("6. A person decides that the cohort shall have them: version 2")
        self._freeze()
        self._plan()
        self._rebuild()
        out(
            " The gene filter was fitted on version 2 and came out the same: nothing that rests on it was computed again."
        )
        self._table(f"{COHORT}@2")
        self._title("7. Two questions in SQL: clinical data, results and expression in one query")
        self._query("SELECT p.stage, count(*) AS n, avg(r.value) AS tsh_ratio FROM patients p JOIN tsh_ratios r "
                    "USING (patient_id) WHERE r.population = 'Cytotoxic lymphocytes' GROUP BY 1 ORDER BY 1")  # fmt: skip
        self._query("SELECT f.event, s.compartment, count(*) AS n, avg(log2(e.value + 1)) AS gnly FROM follow_ups f "
                    "JOIN samples s USING (patient_id) JOIN expression e USING (sample_id) "
                    "WHERE e.gene = 'GNLY' GROUP BY ALL ORDER BY 1, 2")  # fmt: skip
        self._title("8. One number, down to file and line")
        from cli.why import why

        unit = f"tsh_ratios/{held_back[0]}"
        self._command(f"tshdb why {unit}", lambda: why(unit, study=self.folder))
        self._title("9. Everything on one page, and every number that the paper prints beside ours")
        from cli.paper_check import check
        from cli.report import write_report

        self._command("tshdb paper check", lambda: check(study=self.folder))
        self._command("tshdb report", lambda: write_report(study=self.folder))
        out(
            " Open it in a browser: cohort flow, tables, figures with one line on how to read each, models, parameters."
        )

    def _title(self, text: str) -> None:
        out()
        out(text)
        out("─" * min(len(text), columns(sys.stdout) or len(text)))

    def _command(self, line: str, run: Callable[[], object]) -> None:
        out(f"$ {line}")
        run()

    def _split(self, spring: Path, autumn: Path) -> list[str]:
        """The archive's two states: without the last ten patients, then with them. Gives the ten."""
        with gzip.open(self.examples / "expression.csv.gz", "rt", encoding="utf-8", newline="") as file:
            matrix = list(csv.reader(file))
        with gzip.open(self.examples / "clinical.tsv.gz", "rt", encoding="utf-8") as file:
            header, *lines = file.readlines()
        patients = sorted({name[:12] for name in matrix[0][1:]})
        later = patients[-ARRIVE_LATER:]
        for folder, left_out in ((spring, set(later)), (autumn, set())):
            folder.mkdir(parents=True)
            keep = [0, *(i for i, name in enumerate(matrix[0]) if i and name[:12] not in left_out)]
            with (folder / "expression.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([row[i] for i in keep] for row in matrix)
            kept = [line for line in lines if line.split("\t")[1] not in left_out]
            (folder / "clinical.tsv").write_text(header + "".join(kept), encoding="utf-8")
        return later

    def _ingest(self, folder: Path) -> None:
        from cli.ingest.clinical import clinical
        from cli.ingest.rna import rna
        from tshdb.vocabulary import ExpressionUnit, Scale

        file = folder / "clinical.tsv"
        self._command(
            f"tshdb ingest clinical {file} --collection {COLLECTION}",
            lambda: clinical(file, COLLECTION, study=self.folder),
        )
        matrix = folder / "expression.csv"
        self._command(
            f"tshdb ingest rna {matrix} --collection {COLLECTION} --unit rsem --scale linear",
            lambda: rna(matrix, COLLECTION, ExpressionUnit.RSEM, Scale.LINEAR, study=self.folder),
        )

    def _define_and_freeze(self) -> None:
        from cli.cohort import define

        file = self.folder / "cohorts" / f"{COHORT}.sql"
        self._command(f"tshdb cohort define {COHORT} {file}", lambda: define(COHORT, file, study=self.folder))
        self._freeze()

    def _freeze(self) -> None:
        from cli.cohort import freeze

        self._command(f"tshdb cohort freeze {COHORT}", lambda: freeze(COHORT, study=self.folder))

    def _plan(self) -> None:
        from cli.plan import plan

        self._command("tshdb plan", lambda: plan(study=self.folder))

    def _rebuild(self) -> None:
        from cli.rebuild import rebuild

        self._command("tshdb rebuild", lambda: rebuild(study=self.folder))

    def _table(self, cohort: str) -> None:
        from cli.tables import print_table

        self._command(f"tshdb table 2 --cohort {cohort}", lambda: print_table("2", cohort, study=self.folder))

    def _query(self, text: str) -> None:
        from cli.sql import sql

        self._command(f'tshdb sql "{text}"', lambda: sql(text, study=self.folder))
