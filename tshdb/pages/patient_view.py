"""What stands on a patient's page, as plain values for its template."""

from __future__ import annotations

from typing import Any, NamedTuple

from tshdb.pages.patient_facts import Facts, Held, Place, Row, place_in, undecided
from tshdb.pages.patient_images import Images
from tshdb.schema import Patient
from tshdb.text.controls import clean
from tshdb.text.labels import in_words

NOT_SHOWN = {"patient_id", "collection"}
REASONS = {"er_status": "er_status_reason", "pr_status": "pr_status_reason", "her2_status": "her2_status_reason"}
MOST_FOUND = 400  # fields of clinical files


class Glance(NamedTuple):
    """One of the first facts: what, its value, and what must be said beside it. tone: good, poor, none or empty."""

    what: str
    value: str
    note: str = ""
    tone: str = ""


class Strip(NamedTuple):
    """A value among those of the others. at: its place, 0 to 100; words: the same said."""

    name: str
    value: str
    at: float
    words: str
    between: str


def view(held: Held, images: Images, facts: Facts) -> dict[str, Any]:
    """The values of templates/patient.html for one patient."""
    examinations = images.of(facts)
    places, which = held.feature_places(facts)
    patient = facts.patient
    first = [patient["collection"], f"{patient['age_years']:.0f} years" if patient["age_years"] is not None else None]
    first += [patient["stage"], patient["histology"]]
    return {
        "title": clean(facts.patient_id),
        "study": clean(held.study.name),
        "first": " · ".join(clean(each) for each in first if each),
        "glance": [_outcome(facts), *_scores(held, facts), _of_images(examinations, facts)],
        "examinations": examinations,
        "ratios": _ratios(held, facts),
        "features": [_strip(place) for place in places],
        "which_features": which,
        "scores": _score_rows(held, facts),
        "clinical": _clinical(facts),
        "found": [
            (
                clean(row["field"]),
                clean(row["value"] if row["value"] is not None else f"({row['missing_reason'] or 'none'})"),
            )
            for row in facts.rows["clinical_values"][:MOST_FOUND]
        ],
        "n_more": max(0, len(facts.rows["clinical_values"]) - MOST_FOUND),
        "conflicts": [_conflict(row) for row in facts.conflicts],
        "follow_ups": [_follow_up(row) for row in facts.rows["follow_ups"]],
        "samples": [
            (clean(row["sample_id"]), clean(row["compartment"] or "·"), clean(row["preservation_method"] or "·"))
            for row in facts.rows["samples"]
        ],
        "notices": [_notice(row) for row in facts.rows["annotations"]],
        "cohorts": [(c.key, str(c.mode), c.n, *place_in(c, facts)) for c in held.cohorts],
        "learned": held.learned_from(facts),
        "findings": [_finding(row) for row in facts.findings],
    }


def _outcome(facts: Facts) -> Glance:
    rows = {row["endpoint"]: row for row in facts.rows["follow_ups"]}
    row = rows.get("OS") or next(iter(rows.values()), None)
    if row is None:
        return Glance("Outcome", "not known", "no follow-up was read", "none")
    words = _follow_up(row)
    return Glance(f"Outcome ({row['endpoint']})", words[1], words[2], "")


def _scores(held: Held, facts: Facts) -> list[Glance]:
    """The biomarker with its group, the TSH score and the signature's, each with what it must be read with."""
    found = []
    for row in facts.rows["survival_groups"][:1]:
        value = "none" if row["value"] is None else f"{row['value']:.3g}"
        note = row["reason"] or f"{row['prognosis']} prognosis, cut-off {row['cutoff']:.4g}"
        found.append(Glance(f"TSH ratio, {row['population']}", value, clean(note), row["prognosis"] or "none"))
    for row in facts.rows["tsh_scores"][:1]:
        value = "none" if row["score"] is None else f"{row['score']:.2f}"
        note = clean(row["reason"] or f"{row['prognosis']} prognosis")
        found.append(Glance("TSH score", value, note, row["prognosis"] or "none"))
    for row in sorted(facts.rows["signature_scores"], key=lambda row: (row["score"] is None, row["time_point"] or ""))[
        :1
    ]:
        value = "none" if row["score"] is None else f"{row['score']:.2f}"
        said = row["label"] or (f"{row['prognosis']} prognosis" if row["prognosis"] else row["status"])
        found.append(Glance("Signature score", value, clean(said), row["prognosis"] or "none"))
    return found or [Glance("Scores", "none", "no RNA of tumour and normal tissue, and no features, were read", "none")]


def _of_images(examinations, facts: Facts) -> Glance:
    if not examinations:
        return Glance("Images", "none", "no MR examination was read", "none")
    drawn = sum(bool(e.curve) for e in examinations)
    n = len(examinations)
    return Glance(
        "Images", f"{n} examination{'' if n == 1 else 's'}", "" if drawn == n else f"{n - drawn} without phases"
    )


def _score_rows(held: Held, facts: Facts) -> list[tuple[str, str, str, str]]:
    """(what, value, group, how it is to be read) of every score."""
    rows = []
    for row in facts.rows["survival_groups"]:
        rows.append((
            f"TSH ratio of {row['population']} ({row['unit']})", _number(row["value"]), row["prognosis"] or "·",
            row["reason"] or _of_cutoff(held, facts),
        ))  # fmt: skip
    for row in facts.rows["tsh_scores"]:
        unseen = [each["score"] for each in facts.rows["out_of_fold_scores"]]
        rows.append((
            f"TSH score ({row['unit']})", _number(row["score"]), row["prognosis"] or "·",
            row["reason"] or _of_model(held, facts, "tsh_model", unseen),
        ))  # fmt: skip
    for row in facts.rows["signature_scores"]:
        folds = [each["score"] for each in facts.rows["signature_fold_scores"] if each["score"] is not None]
        said = [row["reason"]] if row["reason"] else []
        said += [_of_model(held, facts, "signature_model", folds)] if row["score"] is not None else []
        time = f", {row['time_point']}" if row["time_point"] else ""
        name = f"Signature score ({row['source']}{time})"
        rows.append((name, _number(row["score"]), row["label"] or row["prognosis"] or row["status"], "; ".join(said)))
    for row in facts.rows["signature_labels"]:
        said = row["reason"] or f"what the signature learns: {row['asked'] or 'the class of the TSH score'}"
        rows.append(("Label", clean(row["value"] or _number(row["score"])), row["label"] or "·", said))
    return [tuple(clean(each) for each in row) for row in rows]


def _of_cutoff(held: Held, facts: Facts) -> str:
    if held.cutoff_method == "fixed":
        return "the cut-off is fixed in the settings"
    return _of_model(held, facts, "cutoff", [])


def _of_model(held: Held, facts: Facts, analysis: str, unseen: list[float]) -> str:
    """Whether a model has learned from the patient, and if so what those say that had not seen her."""
    key = held.model_of(analysis)
    if key is None:
        return ""
    if f"{analysis}/{key}" not in held.learned_from(facts):
        return f"by {analysis}/{key}, which has not seen her"
    honest = ""
    if unseen:
        honest = f"; by models that had not seen her {sum(unseen) / len(unseen):.3g}"
    return f"in sample: {analysis}/{key} was made on a cohort that she is in{honest}"


def _ratios(held: Held, facts: Facts) -> list[tuple[str, str, str, Strip | None, str]]:
    """(population, in the tumour, in the stroma, where the ratio lies, why there is none)."""
    found = []
    for row in facts.rows["tsh_ratios"]:
        place = None if row["value"] is None else held.ratio_place(row["population"], row["unit"], row["value"])
        strip = None if place is None else _strip(place)
        why = row["reason"] or ""
        if strip is None and row["value"] is not None:
            why = f"{row['value']:.3g}; too few others to compare with"
        found.append(
            (
                clean(row["population"]),
                _number(row["tumor_abundance"]),
                _number(row["stroma_abundance"]),
                strip,
                clean(why),
            )
        )
    return found


def _strip(place: Place) -> Strip:
    words = f"{place.value:.3g} is above {place.percentile:.0f} % of {place.n:,} patients"
    return Strip(
        clean(place.name), f"{place.value:.3g}", place.percentile, words, f"{place.low:.3g} to {place.high:.3g}"
    )


def _clinical(facts: Facts) -> list[tuple[str, str, str, str]]:
    """(column, its value, what must be said, what the column is)."""
    columns = Patient.__table__.columns
    disputed = {row["column_name"] for row in facts.conflicts if row["table_name"] == "patients"}
    rows = []
    for column in columns:
        if column.name in NOT_SHOWN or column.name in REASONS.values():
            continue
        value = facts.patient[column.name]
        note = facts.patient.get(REASONS.get(column.name, ""), None) or ""
        note += ("; " if note else "") + "sources disagree, see below" if column.name in disputed else ""
        if value is not None or note:
            shown = f"{value:g}" if isinstance(value, float) else "not known" if value is None else value
            rows.append((in_words(column.name), clean(shown), clean(note), column.doc or ""))
    return rows


def _conflict(row: Row) -> tuple[str, str, str, str]:
    """(column, what holds, what another source says, by which rule)."""
    held = "nobody has decided" if undecided(row) else f"{row['held_value'] if row['held_value'] is not None else '·'}"
    other = f"{row['other_value'] if row['other_value'] is not None else '·'} ({row['other_source']})"
    source = "" if undecided(row) else f" ({row['held_source']})"
    return clean(in_words(row["column_name"])), clean(held + source), clean(other), clean(row["rule"])


def _follow_up(row: Row) -> tuple[str, str, str]:
    """(endpoint, what came, when and by which rule)."""
    origin = row["time_origin"].replace("_", " ")
    days = "" if row["duration_days"] is None else f"{row['duration_days']:,.0f} days after {origin}"
    if row["event"] is None:
        return row["endpoint"], "not known", clean(row["reason"] or days or "no reason was recorded")
    dead = "dead" if row["endpoint"] == "OS" else "event"
    alive = "alive" if row["endpoint"] == "OS" else "no event"
    note = "; ".join(filter(None, [row["reason"], f"rule {row['rule']}"]))
    return row["endpoint"], f"{dead if row['event'] else alive} {days}".strip(), clean(note)


def _notice(row: Row) -> tuple[str, str, str]:
    words = " · ".join(filter(None, [row["category"], row["classification"], row["status"]]))
    return clean(f"{row['entity_type']} {row['entity_id']}"), clean(words), clean(row["notes"] or "")


def _finding(row: Row) -> tuple[str, str, str, str]:
    """(severity, rule, what was found, where)."""
    at = f"line {row['line']}" if row["line"] is not None else ""
    where = ", ".join(filter(None, [row["path"].replace("\\", "/").rpartition("/")[2], at, row["column_name"]]))
    value = f" (found: {row['value']})" if row["value"] is not None else ""
    return str(row["severity"]), clean(row["rule"]), clean(row["message"] + value), clean(where)


def _number(value: float | None) -> str:
    return "·" if value is None else f"{value:.3g}"
