"""What is in the study: sources with their dates, what is known of how many patients, how cohorts came about."""

from __future__ import annotations

import pandas as pd

from tshdb.pages.report.look import Look
from tshdb.pages.report.parts import Section, Shown, Words, csv_text
from tshdb.tables.layouts import Layout
from tshdb.tables.rows import place
from tshdb.text.controls import clean
from tshdb.text.labels import in_words
from tshdb.version import __version__

VARIABLES = (
    "age_years", "sex", "race", "menopausal_status", "er_status", "pr_status", "her2_status", "tumor_size_mm", "t_stage",
    "n_stage", "m_stage", "stage", "histology", "family_history", "laterality",
)  # fmt: skip
OTHERS = {  # what else a patient can have -> SELECT of patient_id
    "RNA": "SELECT s.patient_id FROM expression_profiles JOIN samples s USING (sample_id)",
    "RNA of tumour and normal tissue": "SELECT s.patient_id FROM expression_profiles JOIN samples s USING (sample_id) "
    "WHERE s.compartment IN ('tumor', 'stroma') GROUP BY 1 HAVING count(DISTINCT s.compartment) = 2",
    "images": "SELECT patient_id FROM imaging_studies",
    "an outline of the tumour": "SELECT i.patient_id FROM segmentations s "
    "JOIN imaging_studies i USING (study_uid) WHERE s.is_outline",
    "features from elsewhere": "SELECT patient_id FROM imported_features",
}
DATES = (
    "SELECT r.collection, r.archive, r.release FROM source_releases r ORDER BY 1, 2, 3",
    "SELECT collection, reader, min(as_of) AS earliest, max(as_of) AS latest FROM source_records WHERE as_of IS NOT NULL "
    "GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT collection, min(study_date) AS earliest, max(study_date) AS latest FROM imaging_studies "
    "WHERE study_date IS NOT NULL GROUP BY 1 ORDER BY 1",
)


def overview(look: Look) -> Section:
    """Dates, versions, and what is known of how many patients."""
    notes = (
        f"tshdb {__version__}, database revision {_revision()}. Dates are those of the data; when this page was made is not "
        "in it.",
    )
    return Section("overview", "What is in the study", [*_dates(look), *_known(look)], notes)


def _revision() -> str:
    from tshdb.database import REVISION

    return REVISION


def _dates(look: Look):
    releases, stated, images = look.study.sql_each(list(DATES))
    rows = [
        *(
            (clean(r.collection), clean(r.archive), "release", clean(r.release))
            for r in releases.itertuples(index=False)
        ),
        *(
            (clean(r.collection), clean(r.reader), "as the source says", _span(r))
            for r in stated.itertuples(index=False)
        ),
        *((clean(r.collection), "images", "taken", _span(r)) for r in images.itertuples(index=False)),
    ]
    if rows:
        layout = Layout("", ("collection", "of", "date", ""), rows, ())
        yield Shown(look.ids.of("dates"), "Dates of the data", "a date that a source gives", [layout])


def _span(row) -> str:
    ends = [str(row.earliest), str(row.latest)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _known(look: Look):
    counts = ", ".join(f"count({name}) AS {name}" for name in VARIABLES)
    queries = [
        f"SELECT collection, count(*) AS n, {counts} FROM patients GROUP BY 1 ORDER BY 1",
        "SELECT p.collection, f.endpoint, count(*) FILTER (f.event IS NOT NULL AND f.duration_days IS NOT NULL) AS n "
        "FROM follow_ups f JOIN patients p USING (patient_id) GROUP BY 1, 2 ORDER BY 2, 1",
        *(
            f"SELECT p.collection, count(DISTINCT p.patient_id) AS n FROM patients p WHERE p.patient_id IN ({sql}) GROUP BY 1"
            for sql in OTHERS.values()
        ),
    ]
    patients, follow_ups, *others = look.study.sql_each(queries)
    if not len(patients):
        return
    of = dict(zip(patients["collection"], patients["n"].astype(int), strict=True))
    rows: dict[str, dict[str, int]] = {
        in_words(name): dict(zip(patients["collection"], patients[name].astype(int), strict=True)) for name in VARIABLES
    }
    for endpoint, frame in follow_ups.groupby("endpoint", sort=False):
        rows[f"follow-up, {endpoint}"] = dict(zip(frame["collection"], frame["n"].astype(int), strict=True))
    for name, frame in zip(OTHERS, others, strict=True):
        rows[name] = dict(zip(frame["collection"], frame["n"].astype(int), strict=True))
    never = [name for name, known in rows.items() if not any(known.values())]
    cells = [
        (name, *(_share(known.get(c, 0), n) for c, n in of.items()))
        for name, known in rows.items()
        if name not in never
    ]
    headers = ("known of how many patients", *(f"{clean(c)} (n = {n:,})" for c, n in of.items()))
    layout = Layout("", headers, cells, tuple(range(1, len(headers))))
    full = pd.DataFrame(
        [(name, c, known.get(c, 0), n) for name, known in rows.items() for c, n in of.items()],
        columns=["what", "collection", "known", "patients"],
    )
    one_row = "what can be known of a patient, with how many it is known of"
    yield Shown(look.ids.of("known"), "Known, and missing", one_row, [layout], csv_text(full))
    if never:
        yield Words(f"Of nobody: {', '.join(never)}.")


def _share(count: int, n: int) -> str:
    return f"{count:,} ({count / n:.0%})" if count else "none"


def flows(look: Look) -> Section:
    """The newest version of every cohort with its flow."""
    frame = look.study.sql(
        "SELECT cohort, max(version) AS version FROM cohort_versions GROUP BY cohort ORDER BY cohort"
    )
    rows = sorted(frame.itertuples(), key=lambda row: place(row.cohort, look.order))
    parts = [look.drawn("flow", f"{row.cohort}@{row.version}") for row in rows]
    if not parts:
        parts = [Words(f"Cohorts: none has a version yet. {look.steps.of_cohorts()}", "warning")]
    return Section("cohorts", "Cohorts", parts)
