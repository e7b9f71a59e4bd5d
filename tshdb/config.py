"""study.toml: the one file of settings, and errors that name its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tshdb.errors import InvalidInput
from tshdb.near import did_you_mean
from tshdb.words import Vocabulary
from tshdb.written import written_text

OURS = (
    "study",
    "ingest",
    "imaging",
    "collections",
    "replaces",
    "vocabulary",
    "privacy",
)  # tables that belong to no analysis


class StudySettings(BaseModel):
    """The table [study]."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1)
    database: str = "sqlite:///study.db"
    objects: str = "objects"
    seed: int = 20230901
    cancer: str | None = Field(
        None, pattern=r"^[a-z0-9_]+$"
    )  # OncoTree's code in small letters, for who asks: cBioPortal
    analyses: tuple[str, ...] | None = None  # the sets that it has, by the names of their entry points; none: all


class IngestSettings(BaseModel):
    """The table [ingest]: how sources are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    her2_rule: Literal["ihc-fish", "fan2023", "fish-ihc", "ihc"] = "ihc-fish"
    gdc_url: str | None = None


class CollectionSettings(BaseModel):
    """The table [collections]: which of them have the same people under the same ids."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    same_patients: tuple[str, ...] | tuple[tuple[str, ...], ...] = ()

    def are_same(self, one: str, other: str) -> bool:
        """Whether an id is the same person in both."""
        flat = tuple(name for name in self.same_patients if isinstance(name, str))
        groups = [flat, *(group for group in self.same_patients if not isinstance(group, str))]
        return any(one in group and other in group for group in groups)


class ImagingSettings(BaseModel):
    """The table [imaging]: which images are taken, and where from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    accept_identified: bool = False
    idc_url: str | None = None
    nbia_url: str | None = None
    hide_paths: bool = False  # keys of masks hold the digest of a path, and not the names of folders and files


class PrivacySettings(BaseModel):
    """The table [privacy]. paths: "hashed" keeps tokens in the place of the paths and names of files (`tshdb.kept_paths`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    paths: Literal["stored", "hashed"] = "stored"


class Parameters(BaseModel):
    """Base of the parameters of an analysis: typed, immutable, and complete in their canonical JSON.

    FOLLOWS: those that are the base table's and may not say something else in the analysis' own.
    OWN: those that are the analysis' own table's alone, whatever the base table says under the same name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    FOLLOWS: ClassVar[tuple[str, ...]] = ()
    OWN: ClassVar[tuple[str, ...]] = ()


class Settings:
    """study.toml, read once; the tables of the analyses are checked against their types when they are asked for."""

    def __init__(self, path: Path, text: str | None = None):
        self.path = path
        self.text = written_text(path) if text is None else text
        try:
            self.tables = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidInput(f"not TOML: {error}", where=str(path), repair="Mend the line") from None
        self.study = self._typed(StudySettings, "study")
        self.ingest = self._typed(IngestSettings, "ingest")
        self.imaging = self._typed(ImagingSettings, "imaging")
        self.collections = self._typed(CollectionSettings, "collections")
        self.privacy = self._typed(PrivacySettings, "privacy")
        self.vocabulary = self._vocabulary()

    @property
    def shown(self) -> str:
        """The text without the address of the database, which may hold a password."""
        return re.sub(r"""\bdatabase(\s*)=(\s*)("[^"]*"|'[^']*')""", r'database\1=\2"…"', self.text)

    def parameters(
        self, name: str, kind: type[Parameters], base: str | None = None, of_others: Collection[str] = ()
    ) -> Parameters:
        """The parameters of analysis `name`: its table, else what it takes from the table `base`, else the defaults.

        of_others: settings of its own table that are those of analyses which take theirs from it.
        """
        found = self._typed(kind, name, base, of_others)
        for key in kind.FOLLOWS if base else ():
            if key in self.tables.get(name, {}) and getattr(found, key) != (said := self._followed(kind, base, key)):
                raise InvalidInput(
                    f"found {getattr(found, key)!r}, but [{base}] has {said!r}, and both must be the same",
                    where=f"{self.where(name, key)}: [{name}] {key}",
                    repair=f"Take it out here: [{base}] {key} holds for [{name}] as well",
                )
        return found

    def _followed(self, kind: type[Parameters], base: str | None, key: str) -> Any:
        """What the base table says of a setting, or its default."""
        table = self.tables.get(base or "", {})
        return getattr(kind.model_validate({k: v for k, v in table.items() if k in kind.model_fields}), key)

    def refuse_unknown_settings(self, shared: dict[str, set[str]]) -> None:
        """Raises InvalidInput for a setting of a shared table that none of its analyses has. shared: table -> settings."""
        for table, known in shared.items():
            for key in self.tables.get(table, {}):
                if key not in known:
                    raise InvalidInput(
                        f"no setting '{key}'",
                        where=f"{self.where(table, key)}: [{table}] {key}",
                        repair=did_you_mean(key, known, f"Settings of [{table}]: {', '.join(sorted(known))}"),
                    )

    def refuse_unknown_tables(self, known: set[str]) -> None:
        """Raises InvalidInput for a table that belongs to no analysis, such as a misspelt one."""
        for name in self.tables:
            if name not in OURS and name not in known:
                raise InvalidInput(
                    f"[{name}] is no analysis of this program (known: {', '.join(sorted(known))})",
                    where=self.where(name),
                    repair=did_you_mean(name, known, "Correct or remove the table"),
                )

    def _typed(
        self, kind: type[BaseModel], table: str, base: str | None = None, of_others: Collection[str] = ()
    ) -> Any:
        values = self.tables.get(table, {})
        for name in filter(None, (table, base)):
            if not isinstance(self.tables.get(name, {}), dict):
                raise InvalidInput(f"'{name}' must be a table", where=self.where(name), repair=f"Write [{name}]")
        taken = kind.model_fields.keys() - (kind.OWN if issubclass(kind, Parameters) else ())
        inherited = {k: v for k, v in (self.tables.get(base, {}) if base else {}).items() if k in taken}
        values = inherited | {k: v for k, v in values.items() if k in kind.model_fields or k not in of_others}
        try:
            return kind.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = str(first["loc"][0]) if first["loc"] else ""
            if key in inherited and key not in self.tables.get(table, {}):
                table = base or table
            value = "nothing" if first["type"] == "missing" else repr(first["input"])
            said = first["msg"].removeprefix("Value error, ")
            known = ", ".join(kind.model_fields)
            raise InvalidInput(
                f"found {value}, but {said[0].lower()}{said[1:]}",
                where=f"{self.where(table, key)}: [{table}] {key}".rstrip(),
                repair=f"Settings of [{table}]: {known}" if first["type"] == "extra_forbidden" else "",
            ) from None

    def _vocabulary(self) -> Vocabulary:
        """[vocabulary.COLUMN]: what sources write = the study's word, or nothing for what is not known."""
        added = self.tables.get("vocabulary", {})
        for column, words in added.items() if isinstance(added, dict) else (("", None),):
            table = f"vocabulary.{column}".rstrip(".")
            if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
                raise InvalidInput(
                    "expected words", where=f"{self.where(table)}: [{table}]",
                    repair='Write [vocabulary.sex], and in it such as "weibl." = "female"',
                )  # fmt: skip
            for text, word in words.items():
                if problem := Vocabulary().refusal(column, word):
                    raise InvalidInput(
                        problem,
                        where=f"{self.where(table, text)}: [{table}]",
                        repair="tshdb schema patients shows the words",
                    )
        return Vocabulary(added)

    def place(self, name: str, key: str, base: str | None = None) -> tuple[str, str]:
        """(table, place) of a setting of analysis `name`: the table that has it, and `study.toml line N`.

        Where none has it: the one in which it would be written, and `study.toml, by default`.
        """
        for table in filter(None, (name, base)):
            if key in self.tables.get(table, {}):
                return table, f"{self.path.name} line {self.where(table, key).rpartition(':')[2]}"
        table = base if base in self.tables and name not in self.tables else name
        return table, f"{self.path.name}, by default"

    def where(self, table: str, key: str = "") -> str:
        """path:line of the setting, or of its table where the setting is not written."""
        current, table_line = "", 1
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*\[\s*([\w.\-]+)\s*\]", line):
                current = header[1]
                if current == table:
                    table_line = number
            elif (current == table and key and re.match(rf"\s*{re.escape(key)}\s*=", line)) or (
                not current and re.match(rf"\s*{re.escape(table)}\s*=", line)
            ):
                return f"{self.path}:{number}"
        return f"{self.path}:{table_line}"
