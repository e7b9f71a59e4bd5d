"""The paragraphs of the Methods, of what has current results in a study."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tshdb.methods.asked import Asked, Parameters
from tshdb.methods.parts import Paragraph, Sentence
from tshdb.methods.references import dois_in
from tshdb.methods.texts import ADJUSTED, QUIET, TEXTS, Text, Told
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.study import Study

_NAMED = re.compile(r"\{(\w+)(?::(\w+|%))?\}")
OF_PARAMETERS = (
    "SELECT count(*) FROM units u JOIN specs s ON s.spec_id = u.spec_id "
    "WHERE u.state = 'current' AND u.analysis = :analysis AND s.params = :params"
)
LIBRARIES = (
    "SELECT DISTINCT u.analysis, r.libraries, r.program_version FROM units u JOIN runs r ON r.run_id = u.run_id "
    "WHERE u.state = 'current' AND u.spec_id IS NOT NULL ORDER BY 1, 2"
)
PYTHONS = (
    "SELECT DISTINCT s.python_version FROM units u JOIN specs s ON s.spec_id = u.spec_id "
    "WHERE u.state = 'current' ORDER BY 1"
)
SEEDS = (
    "SELECT s.seed, count(DISTINCT u.analysis) FROM units u JOIN specs s ON s.spec_id = u.spec_id "
    "WHERE u.state = 'current' AND s.seed <> 'none' GROUP BY s.seed ORDER BY 1"
)
COHORTS = (
    "SELECT DISTINCT v.cohort, v.version, v.mode FROM cohort_versions v JOIN units u "
    "ON u.key = v.cohort || '@' || v.version WHERE u.state = 'current' AND u.spec_id IS NOT NULL ORDER BY 1, 2"
)
VERSION = "FROM cohort_versions WHERE cohort = :cohort AND version = :version"
FLOW = "FROM cohort_flow WHERE cohort = :cohort AND version = :version AND step = :step"


def paragraphs(study: Study, asked: Asked) -> Iterator[Paragraph]:
    """In the order of a Methods section; a subject without current results has none."""
    from tshdb.guests.listing import listing_of

    known = {analysis.name: analysis for analysis in listing_of(study).analyses}
    yield _paragraph("Data", _data(asked))
    yield _paragraph("Patients", _cohorts(asked))
    told = set(QUIET)
    for heading, texts in TEXTS.items():
        here = {name: text for name, text in texts.items() if name in asked.analyses}
        told |= set(texts)
        if here:
            yield _paragraph(heading, _analyses(asked, here))
    if others := [name for name in asked.analyses if name not in told]:
        yield _paragraph("Further analyses", _others(asked, others, known))
    yield _paragraph("Missing data and multiple testing", _handling(asked))
    yield _paragraph("Software", _software(asked, known))
    yield _paragraph("What must be said of the results", _limits(study, asked, known))


def _paragraph(heading: str, sentences: Iterator[Sentence]) -> Paragraph:
    return Paragraph(heading, tuple(sentences))


def filled(asked: Asked, analysis: str, params: Mapping[str, Any], told: Told) -> str:
    """The sentence of an analysis with its parameters in it."""
    template = told if isinstance(told, str) else told(params)
    return _NAMED.sub(lambda m: asked.parameter(analysis, dict(params), m[1], m[2] or ""), template)


def _data(asked: Asked) -> Iterator[Sentence]:
    collections = asked.rows("SELECT DISTINCT collection FROM patients ORDER BY 1")
    parts = [
        f"{clean(name)} ({asked.number('SELECT count(*) FROM patients WHERE collection = :c', c=name)})"
        for (name,) in collections
    ]
    n = asked.number("SELECT count(*) FROM patients")
    yield Sentence(f"The study holds {n} patients, by collection: {', '.join(parts)}.")
    files = asked.number("SELECT count(*) FROM source_files WHERE is_current")
    days = [
        asked.number(
            f"SELECT substr({end}(r.started_at), 1, 10) FROM source_files f "
            "JOIN ingest_runs r ON r.ingest_run_id = f.ingest_run_id WHERE f.is_current"
        ) for end in ("min", "max")
    ]  # fmt: skip
    yield Sentence(
        f"They come from {files} files, read "
        + (f"on {days[0]}" if days[0] == days[1] else f"from {days[0]} to {days[1]}")
        + "."
    )
    for collection, archive, release in asked.rows(
        "SELECT DISTINCT collection, archive, release FROM source_releases ORDER BY 1, 2, 3"
    ):
        yield Sentence(f"Of {clean(collection)}: {clean(archive)}, release {clean(release)}.")
    without = asked.rows(
        "SELECT DISTINCT collection FROM source_files WHERE is_current "
        "AND collection NOT IN (SELECT collection FROM source_releases) ORDER BY 1"
    )
    if without:
        yield Sentence(f"Of {', '.join(clean(name) for (name,) in without)} no release is noted.")


def _newest(asked: Asked) -> dict[str, tuple[int, str]]:
    """Of every cohort that current results are of: its newest version with such, and its mode."""
    newest: dict[str, tuple[int, str]] = {}
    for cohort, version, mode in asked.rows(COHORTS):
        newest[cohort] = max(newest.get(cohort, (0, "")), (version, mode))
    return newest


def _cohorts(asked: Asked) -> Iterator[Sentence]:
    newest = _newest(asked)
    for cohort, (version, mode) in newest.items():
        of = {"cohort": cohort, "version": version}
        n = asked.number("SELECT n_members FROM cohort_versions WHERE cohort = :cohort AND version = :version", **of)
        steps = asked.rows(
            "SELECT step, effect, reason, n_in, n_out FROM cohort_flow WHERE cohort = :cohort AND version = :version "
            "ORDER BY step",
            **of,
        )
        words = []
        for step, effect, reason, n_in, n_out in steps:
            at = of | {"step": step}
            if effect == "include":
                words.append(f"{asked.number(f'SELECT n_out - n_in {FLOW}', **at)} {clean(reason)}")
            elif n_in != n_out:
                words.append(f"less {asked.number(f'SELECT n_in - n_out {FLOW}', **at)}: {clean(reason)}")
        when = f"{mode} on {asked.number(f'SELECT substr(created_at, 1, 10) {VERSION}', **of)}"
        flow = f": {'; '.join(words)}" if words else ""
        number = asked.number(f"SELECT version {VERSION}", **of)
        yield Sentence(f"Cohort {clean(cohort)}, version {number} ({when}), has {n} patients{flow}.")
    if not newest:
        yield Sentence("No result is of a cohort.")


def _analyses(asked: Asked, texts: Mapping[str, Text]) -> Iterator[Sentence]:
    for name, text in texts.items():
        first, *others = asked.analyses[name]
        yield Sentence(filled(asked, name, first.values, text.told), text.cites)
        yield from _other_parameters(asked, name, first, others)


def _other_parameters(asked: Asked, name: str, told: Parameters, others: list[Parameters]) -> Iterator[Sentence]:
    """What of the current results was computed otherwise than is told: a rebuild is due, or was not of all."""
    for other in others:
        n = asked.number(OF_PARAMETERS, analysis=name, params=other.text)
        differ = [key for key in sorted(other.values) if other.values[key] != told.values.get(key)]
        words = ", ".join(f"{key} {asked.parameter(name, other.values, key)}" for key in differ)
        yield Sentence(f"Of {name}, {n} results were computed with {words or 'fewer parameters'}.")


def _others(asked: Asked, names: list[str], known: Mapping[str, Analysis]) -> Iterator[Sentence]:
    """Analyses of other packages, and ours that have no sentence: as they describe themselves."""
    for name in names:
        analysis = known.get(name)
        first, *others = asked.analyses[name]
        about = (
            clean((analysis.function.__doc__ or "").strip().partition("\n")[0].rstrip("."))
            if analysis is not None
            else ""
        )
        told = ", ".join(f"{key} = {asked.parameter(name, first.values, key)}" for key in first.values)
        words = f"{name}: {about or 'its program is not here'}" + (f" ({told})" if told else "")
        yield Sentence(f"{words}.", tuple(dois_in(analysis.source)) if analysis is not None else ())
        yield from _other_parameters(asked, name, first, others)


def _handling(asked: Asked) -> Iterator[Sentence]:
    n = asked.number("SELECT count(*) FROM conflicts WHERE held_source = ''") if _has_undecided(asked) else None
    if n is not None:
        yield Sentence(f"Of {n} values sources disagree and nobody has decided: they count as not known.")
    else:
        yield Sentence("No value waits for a decision between sources.")
    models = [name for name in ("tsh_cox", "signature_cox") if name in asked.analyses]
    if models and all(asked.analyses[name][0].values.get("missing") != "impute" for name in models):
        yield Sentence("Nothing was imputed: each model is of the patients who have all of its covariates.")
    adjusted = [words for name, words in ADJUSTED.items() if name in asked.analyses]
    if adjusted:
        yield Sentence(
            f"p values were corrected by Benjamini and Hochberg over {'; over '.join(adjusted)}; over nothing else: tests of "
            "different tables, endpoints and cohorts were not corrected for one another.", ("bh",),
        )  # fmt: skip
    else:
        yield Sentence("No p value was corrected for multiple testing.")


def _has_undecided(asked: Asked) -> bool:
    return bool(asked.rows("SELECT 1 FROM conflicts WHERE held_source = '' LIMIT 1"))


def _software(asked: Asked, known: Mapping[str, Analysis]) -> Iterator[Sentence]:
    used: dict[str, set[str]] = {}
    programs: set[str] = set()
    for name, libraries, program in asked.rows(LIBRARIES):
        programs.add(str(program))
        versions = json.loads(libraries)
        for library in known[name].libraries if name in known else ():
            if library in versions:
                used.setdefault(library, set()).add(versions[library])
    pythons = [str(version) for (version,) in asked.rows(PYTHONS)]
    told = ", ".join(f"{library} {' and '.join(sorted(versions))}" for library, versions in sorted(used.items()))
    yield Sentence(
        f"All was computed by tshdb {' and '.join(sorted(programs))} on Python {' and '.join(pythons)}"
        + (f", with {told}." if told else ".")
    )
    seeds = asked.rows(SEEDS)
    for seed, _ in seeds:
        of = "FROM units u JOIN specs s ON s.spec_id = u.spec_id WHERE u.state = 'current' AND s.seed = :seed"
        n = asked.number(f"SELECT count(DISTINCT u.analysis) {of}", seed=seed)
        yield Sentence(
            f"Whatever draws at random ({n} analyses) began from the seed "
            f"{asked.number(f'SELECT DISTINCT s.seed {of}', seed=seed)}."
        )
    if not seeds:
        yield Sentence("Nothing was drawn at random.")


def _limits(study: Study, asked: Asked, known: Mapping[str, Analysis]) -> Iterator[Sentence]:
    """What is optimistic, circular or in sample; what failed, is due, or was not done."""
    from tshdb.optimism import Labels

    newest = {f"{cohort}@{version}" for cohort, (version, _) in _newest(asked).items()}
    labels, said = Labels(study), dict[str, list[str]]()
    for name, key in asked.rows(
        "SELECT analysis, key FROM units WHERE state = 'current' AND spec_id IS NOT NULL ORDER BY unit_id"
    ):
        if name in known and known[name].over_cohort and key in newest:
            for words in labels.of(name, key).words:
                said.setdefault(f"{words} ({key})", []).append(name)
    for words, names in said.items():
        yield Sentence(f"{', '.join(dict.fromkeys(names))}: {clean(words)}.")
    if not said:
        yield Sentence("No result rests on a choice that its own patients made.")
    for state, words in (
        ("failed", "failed and have no result"),
        ("blocked", "have no result, as an input is missing"),
    ):
        rows = asked.rows("SELECT DISTINCT analysis FROM units WHERE state = :state ORDER BY 1", state=state)
        for (name,) in rows:
            n = asked.number(
                "SELECT count(*) FROM units WHERE state = :state AND analysis = :analysis", state=state, analysis=name
            )
            yield Sentence(f"Of {name}, {n} {words}.")
    absent = [name for texts in TEXTS.values() for name in texts if name in known and name not in asked.analyses]
    if absent:
        yield Sentence(f"Not done here, as nothing of it has a current result: {', '.join(absent)}.")
