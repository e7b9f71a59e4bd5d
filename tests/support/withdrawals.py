"""Random histories of a study that end with a withdrawal, and whether it kept its word.

What is planted is known by where it was planted, and each format is read by its own library: the search that is tried is not
what judges it. Files either are clean, or the certificate names them.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from pathlib import Path
from random import Random

from analyses import ANALYSES
from ingest.redact import redact
from tests.support import tiny
from tests.support.exported import FORMATS
from tshdb.checking import Context, check
from tshdb.database import reading
from tshdb.study import Study
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.certificate import verify
from tshdb.withdrawal.identifiers import alias_of
from tshdb.withdrawal.planning import preview
from tshdb.withdrawal.withdraw import withdraw

POINTS = (
    "withdraw.prepared",
    "withdraw.before_commit",
    "withdraw.committed",
    "withdraw.file_done",
    "withdraw.objects_done",
)
STEPS = ("correct", "add", "again", "rename", "outside", "rebuild", "freeze", "exports", "exports", "exports", "git", "nested",
         "backup", "called", "move", "variant")  # fmt: skip
KILLED = 137


class Life:
    """One study, and what was planted of whom. planted: path below the study -> format, or none for bytes as they are."""

    def __init__(self, template: Study, folder: Path, seed: int):
        self.random, self.folder, self.seed = Random(f"withdrawals/{seed}"), folder, seed
        self.archive = tiny.TinyArchive.make(10)
        self.who = self.random.choice(sorted(self.archive.patients))
        self.canary = f"canary-{seed:05d}-x"
        self.study = tiny.copy_study(template, folder / "study")
        self.planted: dict[str, str | None] = {}
        self.outside: list[Path] = []
        self.said: list[str] = []

    # ------------------------------------------------------------------------------------------------ what happens

    def live(self) -> None:
        for _ in range(self.random.randint(2, 5)):
            step = self.random.choice(STEPS)
            self.said.append(step)
            getattr(self, f"_{step}")()

    def _ingest(self) -> None:
        tiny.ingest(self.study, self.archive, images=False)

    def _correct(self) -> None:
        who = self.random.choice([self.who, *sorted(self.archive.patients)])
        self.archive.set_value(who, "tumor", "GNLY", round(self.random.uniform(1, 500), 3))
        self._ingest()

    def _add(self) -> None:
        self.archive.add(self.random.randint(20, 40))
        self._ingest()

    def _again(self) -> None:
        self._ingest()

    def _rename(self) -> None:
        """The matrix comes once more under another name, and lies there under both."""
        from tshdb.actions import ingest
        from tshdb.vocabulary import ExpressionUnit, Scale

        matrix, _ = self.archive.write(self.study.root / "raw")
        other = matrix.with_name(f"expression-{self.random.randint(2, 9)}.csv")
        shutil.copy(matrix, other)
        ingest.rna(self.study, other, "tcga-tn", ingest.RnaOptions(ExpressionUnit.RSEM, Scale.LINEAR))

    def _outside(self) -> None:
        """A table from outside of the study is read; then another state of it from another folder."""
        from tshdb.actions import ingest

        said = '[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n'
        for n in (1, 2):
            folder = self.folder / f"delivery-{len(self.outside)}-{n}"
            folder.mkdir()
            (folder / "map.toml").write_text(said)
            path = folder / "ages.csv"
            path.write_text("id,age\n" + "".join(f"{p},{50 + n}\n" for p in sorted(self.archive.patients)))
            ingest.clinical(self.study, path, "tcga-tn", map=folder / "map.toml")
            self.outside.append(path)

    def _rebuild(self) -> None:
        tiny.rebuild(self.study, tiny.CORE)

    def _freeze(self) -> None:
        tiny.freeze(self.study)

    def _exports(self) -> None:
        folder = self.study.root / self.random.choice(["exports", "raw", "my notes/2026", ".hidden"])
        folder.mkdir(parents=True, exist_ok=True)
        rows = [("TCGA-TN-0001", "kept"), (self.who, self.canary), ("TCGA-TN-0002", "kept too")]
        for name in self.random.sample(sorted(FORMATS), 4):
            path = folder / f"table{len(self.planted)}.{name}"
            FORMATS[name].write(path, rows)
            self.planted[str(path.relative_to(self.study.root))] = name

    def _git(self) -> None:
        place = self.study.root / ".git" / "objects" / "ab"
        place.mkdir(parents=True, exist_ok=True)
        (place / "cd").write_bytes(zlib.compress(f"blob 12\0{self.who}".encode()))

    def _nested(self) -> None:
        other = self.study.root / "other"
        other.mkdir(exist_ok=True)
        (other / "study.toml").write_text('[study]\nname = "other"\n')
        (other / "raw.csv").write_text(f"id,x\n{self.who},{self.canary}\n")
        self.planted["other/raw.csv"] = "csv"

    def _backup(self) -> None:
        place = self.study.root / "backups"
        place.mkdir(exist_ok=True)
        (place / "clinical.csv").write_text(f"id,x\n{self.who},{self.canary}\n")
        self.planted["backups/clinical.csv"] = "csv"

    def _called(self) -> None:
        path = self.study.root / "notes" / self.who.lower() / "letter.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x00\x01nothing")
        self.planted[str(path.relative_to(self.study.root))] = None

    def _move(self) -> None:
        self.study.engine.dispose()
        target = self.folder / f"moved-{self.random.randint(1, 10**6)}"
        self.study.root.rename(target)
        self.study = Study(target)

    def _variant(self) -> None:
        from tshdb.actions import variants
        from tshdb.variants.settings import parsed

        variants.rebuild(Study(self.study.root), "two-years", parsed(["univariable_cox.censor_at_days=730"]))

    # ------------------------------------------------------------------------------------------------ how it ends

    def end(self) -> list[str]:
        """The withdrawal; gives what is wrong with it."""
        wrong: list[str] = []
        scope = self.random.choice(list(WithdrawalScope))
        before = self._others()
        plan = preview(self.study, ANALYSES, self.who, redact, scope)
        if self._others() != before:
            wrong.append("the preview wrote something")
        died = self.random.random() < 0.4 and self._die(scope)
        if died and self.random.random() < 0.5:
            self._move()
        self.study.engine.dispose()
        self.study = Study(self.study.root)
        path, said = withdraw(self.study, ANALYSES, self.who, reason="consent", scope=scope, redact=redact)
        if not died:
            wrong += self._as_previewed(plan, said)
        wrong += self._left(said, path)
        after = self._others()
        wrong += [f"other patients' {table}" for table, lines in before.items() if lines != after[table]]
        if self.who.lower() in path.read_text(encoding="utf-8").lower():
            wrong.append("the certificate says the name")
        of_files = ("no file of the study names the patient",)
        wrong += [f"{v.what}: {v.detail}" for v in verify(self.study, path) if not v.holds and v.what not in of_files]
        with reading(self.study.engine) as connection:
            broken = check(Context(self.study, connection, ANALYSES), full=True)
        wrong += [f"check: {b.rule.name}: {b.problems[:2]}" for b in broken if not b.rule.is_warning]
        self.study.engine.dispose()
        return wrong

    def _die(self, scope: WithdrawalScope) -> bool:
        """A withdrawal in a process of its own that is killed at a point; whether its transaction was done."""
        point = self.random.choice(POINTS)
        self.said.append(f"killed at {point}")
        self.study.engine.dispose()
        child = os.fork()
        if child == 0:
            os.environ["TSHDB_FAILPOINT"] = point
            try:
                withdraw(Study(self.study.root), ANALYSES, self.who, reason="consent", scope=scope, redact=redact)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == KILLED and point not in POINTS[:2]

    def _as_previewed(self, plan, said: dict) -> list[str]:
        root, alias = self.study.root, alias_of(said["token"])

        def hidden(paths) -> list[str]:
            return sorted(
                str(p.relative_to(root)).replace(self.who, alias).replace(self.who.lower(), alias) for p in paths
            )

        pairs = {
            "rows": (plan.expected.rows, said["rows_erased"]),
            "texts": (plan.expected.scrubbed, said["texts_scrubbed"]),
            "cohort versions": (plan.expected.new_versions, said["cohort_versions_without"]),
            "models": (plan.models, said["models_that_learned_from_the_patient"]),
            "revoked": (plan.expected.revoked, said["models_revoked"]),
            "files": (hidden([*plan.rewritten, *plan.erased]), sorted(f["path"] for f in said["files"])),
            "left": (hidden(plan.by_hand), sorted(said["left_to_a_person"])),
            "not looked into": (
                hidden(u.path for u in plan.unseen),
                sorted(u["path"] for u in said["not_looked_into"]),
            ),
            "variants": (plan.variants, said["variants_emptied"]),
        }
        return [f"preview says {a} {what}, the run {b}" for what, (a, b) in pairs.items() if a != b]

    def _left(self, said: dict, certificate: Path) -> list[str]:
        """What still holds the patient and is not named. Every file as bytes; what was planted, by its format's library."""
        root, alias = self.study.root, alias_of(said["token"])
        written = json.loads(certificate.read_text(encoding="utf-8"))
        named = [*written["left"], *written["left_to_a_person"], *(u["path"] for u in written["not_looked_into"])]
        named += [str(Path(os.path.normpath(c["path"]))) for c in written["copies_by_other_programs"]]
        outside = {os.path.normpath(root.resolve() / d["path"]) for d in written["deliveries"]}
        wrong = []
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            place = str(path.relative_to(root))
            told = place.replace(self.who, alias).replace(self.who.lower(), alias)
            is_named = any(told == n or told.startswith(f"{n}/") for n in named)
            held = path.read_bytes().lower() + place.lower().encode()
            if self.planted.get(place) is not None:
                held += FORMATS[self.planted[place]].read(path).lower().encode()
            if any(needle.lower().encode() in held for needle in (self.who, self.canary)) and not is_named:
                wrong.append(f"{place} holds the patient, and nobody says so")
        for place, name in self.planted.items():
            if name is not None and (root / place).is_file() and "kept" in FORMATS[name].read(root / place):
                continue
            if name is not None and place not in ("other/raw.csv", "backups/clinical.csv"):
                wrong.append(f"{place}: the others' rows are gone")
        for path in self.outside:
            if str(path) not in outside:
                wrong.append(f"{path} holds the patient, lies outside, and nobody says so")
        return wrong

    def _others(self) -> dict[str, list[str]]:
        """The results of the others, of each patient's analyses."""
        per_patient = {a.name for a in tiny.CORE if not a.over_cohort}
        found = tiny.dump(self.study)
        return {
            table: [line for line in lines if self.who not in line and line.split("/")[0] in per_patient]
            for table, lines in found.items()
            if table not in ("units", "unit_inputs")
        }


def trial(template: Study, folder: Path, seed: int) -> tuple[list[str], list[str]]:
    """One history and its end: (what is wrong, what happened)."""
    life = Life(template, folder, seed)
    life.live()
    return life.end(), life.said
