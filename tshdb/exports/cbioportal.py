"""A study folder as cBioPortal imports it: clinical data, expression of tumours, and other measurements as generic assays.

Source   cBioPortal's documentation, File Formats: a meta file of `key: value` lines for each data file of tab-separated values.
Units    survival in months of 30.4375 days (365.25 / 12), all else as the study has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.exports.record import Column, File, Job, Written
from tshdb.text.controls import in_one_line

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.exports.matrices import Matrix

MONTH = 30.4375  # days
NOT_SAID = "mixed"  # OncoTree's code where study.toml has none
STATUS = {  # endpoint -> (not reached, reached) as cBioPortal has the words
    "os": ("0:LIVING", "1:DECEASED"), "rfs": ("0:Recurrence-free", "1:Recurred"),
    "dfs": ("0:DiseaseFree", "1:Recurred/Progressed"),
}  # fmt: skip
NAMES = {"age_years": "AGE", "sex": "SEX"}  # what cBioPortal calls otherwise
KINDS = {"number": "NUMBER", "whole number": "NUMBER", "true or false": "BOOLEAN"}
STABLE = {"rsem": "rna_seq_v2_mrna", "intensity": "mrna"}  # unit -> the profile that cBioPortal knows; others are:
OF_RNA_SEQ = "rna_seq_mrna"
NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._-]")
NOT_IN_ENTITIES = re.compile(r"[^A-Za-z0-9._()\[\]',+\-:;]")
MISSING = "NA"


def write_cbioportal(job: Job) -> Written:
    """The folder. Every patient has a sample, since cBioPortal knows no patient without one."""
    from tshdb.exports import matrices

    cancer = job.study.settings.study.cancer
    study_id = re.sub(r"[^a-z0-9]+", "_", job.study.name.lower()).strip("_") or "study"
    folder = _Folder(job.folder, study_id)
    done = folder.written
    patients, of_patients = matrices.patients(job)
    names = _plain_ids(patients.index, NOT_IN_IDS)
    samples = _samples(job, names)
    folder.meta("meta_study.txt", {
        "type_of_cancer": cancer or NOT_SAID, "name": job.study.name,
        "description": f"{len(patients):,} patients of the study {job.study.name}, written by tshdb",
    })  # fmt: skip
    _clinical(folder, patients, of_patients, names, samples)
    lists = _expression(job, folder, samples, matrices.expression(job))
    _assays(job, folder, samples, names)
    folder.case_list("all", "All samples", "all_cases_in_study", list(samples["SAMPLE_ID"]))
    for stable_id, of_profile in lists.items():
        category = "all_cases_with_mrna_array_data" if stable_id == "mrna" else "all_cases_with_mrna_rnaseq_data"
        folder.case_list(stable_id, "Samples with mRNA data", category, of_profile)
    done.left_out += [
        "expression of samples that are no tumour: cBioPortal takes every sample for one (their abundances are there)",
        "profiles that are not selected (expression_profiles.is_selected)",
        "examinations after the first of each patient, and tables of statistics: tshdb export csv",
    ]
    done.notes += [
        "type_of_cancer is cancer of [study] in study.toml, a code of OncoTree."
        if cancer
        else f"type_of_cancer is {NOT_SAID}, since study.toml has no cancer in [study]: a code of OncoTree in small letters.",
        f"Months are days / {MONTH}. Numbers have all their digits. Line breaks and tabs in texts are signs (␊, ␉).",
        "A patient without a tumour's RNA has one sample of the patient's name, so that cBioPortal shows the patient.",
    ]
    if changed := sum(name != plain for name, plain in names.items()):
        done.notes.append(
            f"Of {changed:,} patients the name has signs that cBioPortal refuses; there stands _ for each."
        )
    return done


class _Folder:
    """The folder as it is written: each data file with its meta file."""

    def __init__(self, path: Path, study_id: str):
        self.path, self.study_id, self.written = path, study_id, Written()

    def meta(self, name: str, facts: Mapping[str, str]) -> None:
        lines = [
            f"{key}: {in_one_line(value)}"
            for key, value in ({"cancer_study_identifier": self.study_id} | dict(facts)).items()
        ]
        (self.path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.written.files.append(File(name, "one setting of the file that it describes"))

    def data(self, name: str, one_row: str, head: Sequence[Sequence[str]], rows: Iterable[Sequence[Any]],
             columns: Sequence[Column] = ()) -> None:  # fmt: skip
        n = 0
        with (self.path / name).open("w", encoding="utf-8", newline="") as file:
            for line in head:
                file.write("\t".join(map(in_one_line, line)) + "\n")
            for row in rows:
                file.write("\t".join(map(_cell, row)) + "\n")
                n += 1
        self.written.files.append(File(name, one_row, n, columns))

    def profile(self, name: str, facts: Mapping[str, str], one_row: str, head: Sequence[str], rows: Iterable) -> None:
        """A data file of a molecular profile, with its meta file."""
        self.meta(f"meta_{name}.txt", {**facts, "data_filename": f"data_{name}.txt"})
        self.data(f"data_{name}.txt", one_row, [head], rows)

    def case_list(self, name: str, title: str, category: str, samples: Sequence[str]) -> None:
        (self.path / "case_lists").mkdir(exist_ok=True)
        self.meta(f"case_lists/cases_{name}.txt", {
            "stable_id": f"{self.study_id}_{name}", "case_list_name": title,
            "case_list_description": f"{title} ({len(samples):,})", "case_list_category": category,
        })  # fmt: skip
        with (self.path / f"case_lists/cases_{name}.txt").open("a", encoding="utf-8") as file:
            file.write("case_list_ids: " + "\t".join(samples) + "\n")


def _cell(value: Any) -> str:
    if value is None or value != value:
        return MISSING
    return repr(float(value)) if isinstance(value, float) else in_one_line(value)


def _plain_ids(names: Iterable[str], refused: re.Pattern[str]) -> dict[str, str]:
    """name -> what stands for it: the name itself where it may; those that would be one are numbered."""
    named = list(names)
    found = {name: name for name in named if name and not refused.search(name)}
    taken = set(found)
    for name in named:
        if name not in found:
            plain = found[name] = next(each for each in _spellings(refused.sub("_", name) or "_") if each not in taken)
            taken.add(plain)
    return {name: found[name] for name in named}


def _spellings(plain: str) -> Iterator[str]:
    yield plain
    yield from (f"{plain}_{n}" for n in count(2))


# ----------------------------------------------------------------------------------------------------------- clinical


def _samples(job: Job, names: Mapping[str, str]) -> pd.DataFrame:
    """A row of each tumour sample with RNA; of patients without one a row of their own. sample: as the study has it."""
    import pandas as pd

    rows = job.study.sql(
        "SELECT DISTINCT s.sample_id AS sample, s.patient_id AS patient, s.sample_type_code, s.preservation_method "
        "FROM samples s JOIN expression_profiles p USING (sample_id) WHERE p.is_selected AND s.compartment = 'tumor' "
        "AND list_contains($patients, s.patient_id) ORDER BY s.sample_id",
        {"patients": list(job.chosen.patients)},
    )
    without = [patient for patient in names if patient not in set(rows["patient"])]
    rows = pd.concat([rows, pd.DataFrame({"sample": without, "patient": without})], ignore_index=True)
    ids = _plain_ids(rows["sample"], NOT_IN_IDS)
    rows["SAMPLE_ID"] = [ids[sample] for sample in rows["sample"]]
    rows["PATIENT_ID"] = [names[patient] for patient in rows["patient"]]
    rows["HAS_RNA"] = ~rows["patient"].isin(without)
    return rows.astype(object).where(rows.notna(), None)


def _clinical(
    folder: _Folder, patients: pd.DataFrame, columns: Sequence[Column], names: Mapping[str, str], samples: pd.DataFrame
) -> None:
    attributes: list[tuple[Column, Sequence[Any]]] = [
        (Column("PATIENT_ID", "text", "the patient"), list(names.values()))
    ]
    for column in columns[1:]:
        values = list(patients[column.name].astype(object).where(patients[column.name].notna(), None))
        attributes += _attributes(column, values)
    _clinical_file(folder, "patient", "PATIENT_ATTRIBUTES", "one patient", attributes)
    of_samples = [
        (Column("PATIENT_ID", "text", "the patient"), samples["PATIENT_ID"]),
        (Column("SAMPLE_ID", "text", "the tumour's sample, or the patient where there is no RNA"), samples["SAMPLE_ID"]),
        (Column("HAS_RNA", "text", "whether there is RNA of the sample: yes or no"),
         ["yes" if has else "no" for has in samples["HAS_RNA"]]),
        (Column("SAMPLE_TYPE_CODE", "text", "TCGA sample type: 01 primary tumour"), samples["sample_type_code"]),
        (Column("PRESERVATION_METHOD", "text", "as recorded, such as FFPE"), samples["preservation_method"]),
    ]  # fmt: skip
    _clinical_file(folder, "sample", "SAMPLE_ATTRIBUTES", "one sample", of_samples)


def _attributes(column: Column, values: list) -> list[tuple[Column, Sequence[Any]]]:
    """One attribute of cBioPortal, or none; of an outcome its status and months."""
    prefix, _, what = column.name.partition("_")
    if prefix in STATUS and what == "event":
        words = [None if value is None else STATUS[prefix][bool(value)] for value in values]
        return [(Column(f"{prefix.upper()}_STATUS", "text", column.meaning), words)]
    if prefix in STATUS and what == "days":
        months = [None if value is None else value / MONTH for value in values]
        return [
            (
                Column(f"{prefix.upper()}_MONTHS", "number", f"months of {MONTH} days to the event or to last contact"),
                months,
            )
        ]
    if column.name == "sex":
        values = [None if value is None else str(value).capitalize() for value in values]
    name = NAMES.get(column.name, column.name.upper())
    return [(column._replace(name=name), values)]


def _clinical_file(
    folder: _Folder, what: str, datatype: str, one_row: str, attributes: Sequence[tuple[Column, Sequence[Any]]]
) -> None:
    """The five lines of the head, then the rows. Attributes that nobody has are left out."""
    there = [
        (c, list(v)) for c, v in attributes if c.name in ("PATIENT_ID", "SAMPLE_ID") or any(x is not None for x in v)
    ]
    columns = [c for c, _ in there]
    head = [
        ["#" + columns[0].name.replace("_", " ").title(), *(c.name.replace("_", " ").title() for c in columns[1:])],
        ["#" + (columns[0].meaning or columns[0].name), *(c.meaning or c.name for c in columns[1:])],
        ["#" + KINDS.get(columns[0].kind, "STRING"), *(KINDS.get(c.kind, "STRING") for c in columns[1:])],
        ["#1"] + ["1"] * (len(columns) - 1),
        [c.name for c in columns],
    ]
    folder.meta(f"meta_clinical_{what}.txt", {
        "genetic_alteration_type": "CLINICAL", "datatype": datatype, "data_filename": f"data_clinical_{what}.txt",
    })  # fmt: skip
    folder.data(f"data_clinical_{what}.txt", one_row, head, zip(*(v for _, v in there), strict=True), columns)


# -------------------------------------------------------------------------------------------------------- expression


def _expression(job: Job, folder: _Folder, samples: pd.DataFrame, matrix: Matrix | None) -> dict[str, list[str]]:
    """Write the profiles of tumours. Gives stable_id -> the samples that each has."""
    if matrix is None:
        return {}
    ids = dict(zip(samples["sample"], samples["SAMPLE_ID"], strict=True))
    is_tumor = [name in ids for name in matrix.obs.index]
    genes, n_unnamed, n_twice = _genes(matrix.var)
    if n_unnamed or n_twice:
        folder.written.left_out.append(
            f"{n_unnamed:,} genes that have neither symbol nor Entrez number, and {n_twice:,} whose symbol another has already"
        )
    first = matrix.x.partition(",")[0]
    lists: dict[str, list[str]] = {}
    of_kinds = {f"{first}_{matrix.x.split(', ')[1]}": matrix.values, **matrix.layers}
    for number, (kind, values) in enumerate(of_kinds.items(), 1):
        unit, scale = kind.rsplit("_", 1)
        stable_id = STABLE.get(unit, OF_RNA_SEQ)
        has = [bool(there) and matrix.obs[f"profile_{kind}"].notna().iloc[i] for i, there in enumerate(is_tumor)]
        if stable_id in lists or not any(has):
            folder.written.left_out.append(f"expression as {unit}, {scale}: cBioPortal has one profile of this kind")
            continue
        columns = [i for i, there in enumerate(has) if there]
        lists[stable_id] = [ids[matrix.obs.index[i]] for i in columns]
        facts = {
            "genetic_alteration_type": "MRNA_EXPRESSION", "datatype": "CONTINUOUS", "stable_id": stable_id,
            "show_profile_in_analysis_tab": "false", "profile_name": f"mRNA expression ({unit}, {scale})",
            "profile_description": f"Expression of the tumour as in the source: {unit}, {scale}",
        }  # fmt: skip
        rows = ((*genes[j], *values[columns, j].tolist()) for j in sorted(genes))
        folder.profile(f"expression_{kind}", facts, f"one gene; a column a sample, values {unit}, {scale}",
                       ["Hugo_Symbol", "Entrez_Gene_Id", *lists[stable_id]], rows)  # fmt: skip
        job.progress("cbioportal", number, len(of_kinds))
    return lists


def _genes(var: pd.DataFrame) -> tuple[dict[int, tuple[str, str]], int, int]:
    """(place -> (symbol, Entrez number), one of them maybe empty; genes without either; genes whose name was taken)."""
    found: dict[int, tuple[str, str]] = {}
    taken: set[tuple[str, str]] = set()
    n_unnamed = n_twice = 0
    for i, gene in enumerate(var.astype(object).itertuples(index=False)):
        symbol = gene.symbol if isinstance(gene.symbol, str) else ""
        entrez = ""
        if gene.id_type == "symbol":
            symbol = gene.gene_id
        elif gene.id_type == "entrez":
            entrez = gene.gene_id.removeprefix("entrez:")
        if not symbol and not entrez:
            n_unnamed += 1
        elif (symbol, entrez) in taken:
            n_twice += 1
        else:
            taken.add((symbol, entrez))
            found[i] = symbol, entrez
    return found, n_unnamed, n_twice


# --------------------------------------------------------------------------------------------------- generic assays


def _assays(job: Job, folder: _Folder, samples: pd.DataFrame, names: Mapping[str, str]) -> None:
    from tshdb.exports import matrices

    ids = dict(zip(samples["sample"], samples["SAMPLE_ID"], strict=True))
    found = matrices.abundances(job)
    if found is not None:
        for unit in sorted(set(found.obs["unit"])):
            of_unit = found.obs["unit"] == unit
            for compartment, of_whom, known in (("tumor", "sample_id", ids), ("stroma", "patient_id", names)):
                rows = found.obs[of_unit & (found.obs["compartment"] == compartment)]
                title = f"Cell populations in the {compartment} ({unit})"
                _assay(folder, f"abundance_{compartment}_{unit}", "CELL_ABUNDANCE", title,
                       "mean log2 expression of the population's marker genes", found, rows, rows[of_whom], known)  # fmt: skip
    ratios = _ratios(job)
    for unit, matrix in ratios.items():
        _assay(folder, f"tsh_ratio_{unit}", "TSH_RATIO", f"TSH ratio ({unit})", "(A_tumor - A_stroma) / A_stroma, no unit",
               matrix, matrix.obs, matrix.obs["patient_id"], names)  # fmt: skip
    tables = (
        ("radiomic_features", "radiomics", "Radiomic features"),
        ("map_features", "maps", "Features of parametric maps"),
    )
    of_images = [(matrices.features(job, table, name), title) for table, name, title in tables]
    of_images += [
        (matrix, f"Features of the table {matrix.name.removeprefix('imported_')}") for matrix in matrices.imported(job)
    ]
    for of_image, title in of_images:
        if of_image is not None:
            in_time = [(len(str(point)), str(point)) for point in of_image.obs["time_point"]]
            in_order = of_image.obs.assign(in_time=in_time).sort_values("in_time", kind="stable")
            first = in_order.drop_duplicates("patient_id").sort_index()
            _assay(folder, of_image.name, "RADIOMICS", f"{title}, first examination", "in the unit of the feature", of_image,
                   first, first["patient_id"], names)  # fmt: skip


def _ratios(job: Job) -> dict[str, Matrix]:
    """unit -> patients by populations."""
    from tshdb.exports.matrices import pivoted

    frame = job.study.sql(
        "SELECT DISTINCT ON (patient_id, unit, population) patient_id, unit, population, value FROM tsh_ratios "
        "WHERE list_contains($patients, patient_id) ORDER BY patient_id, unit, population, unit_id DESC",
        {"patients": list(job.chosen.patients)},
    )
    columns = (Column("patient_id", "text", "whose it is"),)
    found = {}
    for unit, rows in frame.groupby("unit", sort=True):
        matrix = pivoted(
            "tsh_ratio", "no unit", "one patient", rows, "population", "value", columns, "a cell population"
        )
        if matrix is not None:
            found[str(unit)] = matrix
    return found


def _assay(folder: _Folder, name: str, kind: str, title: str, meaning: str, matrix: Matrix, rows: pd.DataFrame,
           whose: pd.Series, known: Mapping[str, str]) -> None:  # fmt: skip
    """Write some rows of a matrix as a generic assay. whose: the sample, or the patient, of each row."""
    is_of_patients = whose.name == "patient_id"
    at = matrix.obs.index.get_indexer(rows.index)
    if not len(at):
        return
    entities = _plain_ids(matrix.var.index, NOT_IN_ENTITIES)
    facts = {
        "genetic_alteration_type": "GENERIC_ASSAY", "generic_assay_type": kind, "datatype": "LIMIT-VALUE", "stable_id": name,
        "profile_name": title, "profile_description": f"{title}: {meaning}", "show_profile_in_analysis_tab": "true",
        "generic_entity_meta_properties": "NAME,DESCRIPTION", **({"patient_level": "true"} if is_of_patients else {}),
    }  # fmt: skip
    lines = (
        (entities[entity], entity, meaning, *matrix.values[at, j].tolist()) for j, entity in enumerate(matrix.var.index)
    )
    folder.profile(name, facts, f"one {list(matrix.var)[0]}; a column a {'patient' if is_of_patients else 'sample'}, {meaning}",
                   ["ENTITY_STABLE_ID", "NAME", "DESCRIPTION", *(known[one] for one in whose)], lines)  # fmt: skip
