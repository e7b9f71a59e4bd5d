"""What all tables share: names of constraints, closed sets as CHECKs, and what a column means for the engine."""

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import Column, Enum, ForeignKey, Integer, MetaData, Table

from tshdb.schema.declared import Declared, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(Declared):
    """Text has no length, floats are IEEE doubles, times are UTC text in ISO 8601.

    `Base.metadata` holds this program's own tables, which every study has. A table that is declared in another package, or
    in a study's folder, has a metadata of its own: the engine makes it in the studies that have results of it.
    """

    metadata = MetaData(naming_convention=NAMES)
    declared: ClassVar[list[type["Base"]]] = []
    """this program's own"""

    if TYPE_CHECKING:
        __table__: ClassVar[Table]

    def __init_subclass__(cls, **options) -> None:
        if cls.__module__.partition(".")[0] != "tshdb":
            cls.metadata, cls.declared = metadata_beside_units(), []
        super().__init_subclass__(**options)


def metadata_beside_units() -> MetaData:
    """For tables that are not this program's: with as much of `units` as a reference to it needs."""
    metadata = MetaData(naming_convention=NAMES)
    Table("units", metadata, Column("unit_id", Integer, primary_key=True))
    return metadata


def is_ours(table: Table) -> bool:
    """Whether a table is this program's own."""
    return table.metadata is Base.metadata


def closed(values: type[StrEnum]) -> Enum:
    """A text column that the database restricts to the members of `values`."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in values.__name__).lstrip("_")
    return Enum(
        values,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=16,
        name=name,
        values_callable=lambda kind: [member.value for member in kind],
    )


if TYPE_CHECKING:
    _OfBase = Base
else:
    _OfBase = object  # every result table names Base itself, beside this


class Labelled:
    """What the program notes in rows of results once they stand: whether their own patients made what they rest on.

    Found from the inputs of the result and from what fits declare (`tshdb.optimism`), at the end of every rebuild; empty before.
    """

    is_optimistic: Mapped[bool | None] = mapped_column(
        doc="a fit behind it looked at the tested outcome of some of these patients: p is too small, a measure too good",
        info={"fingerprint": False, "label": True},
    )
    is_in_sample: Mapped[bool | None] = mapped_column(
        doc="a fit behind it was fitted on some of these patients, without the tested outcome",
        info={"fingerprint": False, "label": True},
    )


class LabelledCircular:
    """What the program notes in rows of tests once they stand: whether the groups were made from what is tested.

    Found from the inputs of the result (`tshdb.circularity`), at the end of every rebuild; empty before.
    """

    is_circular: Mapped[bool | None] = mapped_column(
        doc="the groups were made from what is tested between them: they differ by construction, p says little",
        info={"fingerprint": False, "label": True},
    )


class UnitPayload(_OfBase):
    """A table whose rows are made by units of an analysis.

    Columns may say, in `info`, what they are to the engine: {"digits": n} are rounded to n significant digits before
    they are stored, {"fingerprint": False} describe the row and are not part of its data, {"object": suffix} name an object,
    whose path analyses are given (an analysis that makes one gives its bytes), {"file": True} are paths, which analyses are
    given from the root.
    """

    unit_id: Mapped[int] = mapped_column(
        ForeignKey("units.unit_id"), primary_key=True, doc="the unit that made the row", info={"fingerprint": False}
    )
