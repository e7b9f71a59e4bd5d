"""A variant is what a study of its own with these settings would be: every table, object, number, drawing and answer.

The demo (110 pairs; fewer draws of what is drawn) under 24 settings, and a tiny study with images under those of the imaging
half. In turn a study of its own is made from a copy with the settings in its study.toml, by a rebuild; and the variant, by the
command. Then the study must be what it was, to the last row, and after the variants are dropped nothing of them may be left.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path

from soak import Figure
from soak.lost import made_by_commands
from tests.support import tiny
from tests.support.in_time import in_time, tried
from tests.support.program import run_quick
from tshdb import installed
from tshdb.actions import variants
from tshdb.canonical import digest
from tshdb.database import reading
from tshdb.errors import TshdbError
from tshdb.figures import figure
from tshdb.guest_tables import object_columns, tables_of
from tshdb.next_step import NextSteps
from tshdb.objects import sha256_of
from tshdb.query import run_queries
from tshdb.study import Study
from tshdb.tables import table
from tshdb.tables.layouts import TABLES
from tshdb.variants.settings import parsed
from tshdb.variants.settings_text import with_values

Seen = dict[str, object]
QUICK = (  # of the demo before: fewer draws of what is drawn, else one variant takes a minute
    "tsh_cross_validation.repeats=1", "tsh_cross_validation.outer_folds=3", "model_performance.n_bootstrap=50",
    "cutoff.n_bootstrap=50", "cutoff.n_permutations=200", "network_parameters.n_permutations=50",
)  # fmt: skip
OF_DEMO: Mapping[str, tuple[str, ...]] = {  # name -> what is set
    "median": ("cutoff.method=median",),
    "quantile": ("cutoff.method=quantile", "cutoff.quantile=0.3"),
    "maxstat": ("cutoff.method=maxstat",),
    "fixed-zero": ("cutoff.value=0.0",),
    "turned": ("cutoff.higher_is=poor",),
    "population": ("cutoff.population=CD8 T cells", "cutoff.method=median"),
    "not-chosen-here": ("cutoff.chosen_on=nowhere",),
    "difference": ("tsh_ratios.biomarker=difference",),
    "log2": ("tsh_ratios.biomarker=log2_ratio", "cutoff.method=median"),
    "denominator": ("tsh_ratios.min_denominator=2.0",),
    "genes": ("cell_abundances.markers=mcp_counter_upstream",),
    "coverage": ("cell_abundances.min_coverage=0.9",),
    "absent": ("gene_filter.absent_fraction=0.2",),
    "unit": ("univariable_cox.unit=rsem", "cutoff.unit=rsem"),
    "wrong-unit": ("univariable_cox.unit=tpm",),
    "horizon": ("univariable_cox.censor_at_days=1826.25", "tsh_cox.censor_at_days=1826.25"),
    "few-events": ("univariable_cox.min_events=60",),
    "covariates": ('tsh_cox.covariates=["age_years", "t_stage"]',),
    "penalised": ("tsh_cox.likelihood=penalised",),
    "stiff": ("tsh_model.inverse_penalty=0.01", "tsh_cross_validation.inverse_penalty=0.01"),
    "label-threshold": ("signature_labels.threshold=0.7", "tsh_model.threshold=0.7"),
    "network": ("network_edges.threshold=0.7", "network_edges.sign=absolute", "network_parameters.threshold=0.7"),
    "seed": ("study.seed=7",),
    "nothing": ("cell_abundances.markers=mcp_counter",),  # as the study has it: nothing may be the variant's own
}
OF_IMAGES: Mapping[str, tuple[str, ...]] = {
    "voxels": ("prepared_images.interpolator=bspline",),
    "outline": ("tumor_masks.grow=false", 'tumor_masks.prefer=["manual"]'),
    "lesions": ("tumor_masks.lesions=union",),
    "bins": ("radiomic_features.bin_width=0.1",),
    "normalised": ("radiomic_features.per_phase=true",),
    "band": ("stroma_bands.width_mm=10.0",),
    "filters": ('radiomic_features.filters=["original", "square"]',),
    "late": ("kinetics.late=nearest", "kinetics.late_s=300.0"),
    "forest": ("signature.final_trees=20", "signature.threshold=0.4"),
}
NOTHING = "nothing"
DRAWN = 1  # figures that are drawn of each variant, in turn: they are slow, and made of rows that are compared all


def seen_in(study: Study, figures: Sequence[str] = ()) -> Seen:
    """All that a user can see of results: rows with their labels, members of cohorts, objects, the paper's tables, figures."""
    found: Seen = dict(tiny.dump(study))
    with reading(study.engine) as connection:
        named = [t.name for t in tables_of(connection) if "unit_id" in t.columns and t.name not in tiny.HISTORY]
        objects = [(t.name, column, suffix) for t, column, suffix in object_columns(connection)]
    of_results = [name for name in named if name not in ("units", "unit_inputs")]
    asked = {f"sql {name}": _of_units(name) for name in of_results}
    asked["sql cohort_members"] = (
        "SELECT m.cohort, m.patient_id FROM cohort_members m JOIN (SELECT cohort, max(version) AS version FROM cohort_versions "
        "GROUP BY cohort) USING (cohort, version) ORDER BY ALL"
    )
    answers = run_queries(study, list(asked.values()), seconds=600)
    found |= {name: [repr(row) for row in answer.rows] for name, answer in zip(asked, answers, strict=True)}
    for name, column, suffix in objects:
        for row in study.sql(f'SELECT DISTINCT "{column}" AS d FROM {name} WHERE "{column}" IS NOT NULL ORDER BY 1')[
            "d"
        ]:
            found[f"object {name}.{column} {row}"] = sha256_of(study.objects.path(row, suffix))
    steps = NextSteps(study)
    found |= {f"table {number}": _said(lambda n=number: table(study, n, steps=steps).text(None)) for number in TABLES}
    return found | {
        f"figure {name}": _said(lambda n=name: digest(figure(study, n, steps=steps).data)) for name in figures
    }


def _of_units(name: str) -> str:
    return (
        f"SELECT u.analysis, u.key, t.* EXCLUDE (unit_id) FROM {name} t JOIN units u ON u.unit_id = t.unit_id "
        "WHERE u.state = 'current' ORDER BY ALL"
    )


def _said(made: Callable[[], str]) -> str:
    """What is made; for what there is not, the reason, without the place."""
    try:
        return made()
    except TshdbError as error:
        return f"{type(error).__name__}: {error.message}"


def set_in(study: Study, settings: Sequence[str]) -> None:
    """Write settings into study.toml, as a user would."""
    path = study.root / "study.toml"
    path.write_text(with_values(path.read_text(), parsed(settings), str(path)))


def apart(study: Study, folder: Path, settings: Sequence[str], figures: Sequence[str] = ()) -> Seen:
    """What a study of its own with these settings has, which has no variants. The folder is gone afterwards."""
    study.engine.dispose()
    shutil.copytree(study.root, folder, ignore=shutil.ignore_patterns("variants"))
    other = Study(folder)
    set_in(other, settings)
    run_quick("rebuild", cwd=folder, code=None)
    other = Study(folder)
    found = seen_in(other, figures)
    other.engine.dispose()
    shutil.rmtree(folder)
    return found


def as_variant(study: Study, name: str, settings: Sequence[str], figures: Sequence[str] = ()) -> Seen:
    """The same of a variant, which is made by the command."""
    words = [word for each in settings for word in ("--set", each)]
    run_quick("rebuild", "--variant", name, *words, cwd=study.root, code=None)
    with variants.viewed(Study(study.root), name) as (copied, _):
        return seen_in(copied, figures)


def differing(theirs: Seen, ours: Seen) -> list[str]:
    """Where two differ, with the first of what differs."""
    found = []
    for name in sorted({*theirs, *ours}):
        one, other = theirs.get(name), ours.get(name)
        if one != other:
            first = (
                sorted(set(one) ^ set(other))[:2] if isinstance(one, list) and isinstance(other, list) else (one, other)
            )
            found.append(f"{name}: {str(first)[:300]}")
    return found


def text_of_database(path: Path) -> list[str]:
    """All that a database says, as SQL."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as raw:
        return list(raw.iterdump())


def trial(
    study: Study, folder: Path, settings: Mapping[str, tuple[str, ...]], what: str, share: float = 1.0
) -> Iterator[Figure]:
    """Each variant against a study of its own; then the study, and what is left after all were dropped."""
    before, ours, files = text_of_database(study.sqlite_path), seen_in(study), _files(study)
    same, moved, wrong = [], [], []
    in_turn = cycle(installed.figures())
    chosen = {}
    for number, (name, each) in in_time(enumerate(settings.items(), 1), share):
        chosen[name] = each
        figures = list(islice(in_turn, DRAWN))
        theirs = apart(study, folder / f"{name}-apart", each, figures)
        found = differing(theirs, as_variant(study, name, each, figures))
        wrong += [f"{name}: {where}" for where in found]
        same += [name] if not found else []
        moved += [name] if any(theirs[part] != ours[part] for part in ours) else []
        print(f"  {what}: {number} of {len(settings)}, {name}: {len(found)} differ", file=sys.stderr, flush=True)
    n_settings, settings = len(settings), chosen
    n_own = sum(variants.variant(study, NOTHING).n_own.values()) if NOTHING in settings else 0
    yield Figure(
        f"variants of {what} that are as a study of its own",
        f"{len(same)} of {tried(len(settings), n_settings)}",
        "all",
        not wrong,
    )
    still = sorted(set(settings) - set(moved))
    yield Figure(f"of them without any result that differs from the study's of {what}", ", ".join(still) or "none")
    if NOTHING in settings:
        yield Figure("units of the variant that sets what the study has", str(n_own), "0", n_own == 0)
    is_so = text_of_database(study.sqlite_path) == before and differing(ours, seen_in(Study(study.root))) == []
    yield Figure(f"{what} itself afterwards", "as it was" if is_so else "another", "as it was", is_so)
    for name in settings:
        run_quick("variants", "drop", name, "--yes", cwd=study.root)
    run_quick("check", "--full", "--repair", cwd=study.root, code=None)
    left = sorted(_files(study) - files)
    yield Figure(f"files left of variants of {what}", ", ".join(left[:5]) or "none", "none", not left)
    for each in wrong:
        yield Figure("differs", each, is_met=False)


def _files(study: Study) -> set[str]:
    """The files of a study, without what SQLite and queries keep beside them, and what waits in the trash."""
    names = (str(p.relative_to(study.root)) for p in study.root.rglob("*") if p.is_file())
    return {
        name
        for name in names
        if not name.startswith((".snapshots", "study.db", ".tshdb", "variants/.tshdb.lock", "trash/"))
    }


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """The settings are chosen; the seed says in which order they are tried."""
    luck = random.Random(f"variants/{seed}")
    of_demo, of_images = (dict(luck.sample(list(each.items()), len(each))) for each in (OF_DEMO, OF_IMAGES))
    subprocess.run([sys.executable, "-m", "cli.main", "demo", folder / "demo"], check=True, capture_output=True)
    set_in(Study(folder / "demo"), QUICK)
    run_quick("rebuild", cwd=folder / "demo")
    yield from trial(Study(folder / "demo"), folder, of_demo, "the demo", 0.6)
    yield from trial(made_by_commands(folder / "images"), folder, of_images, "a tiny study with images")
