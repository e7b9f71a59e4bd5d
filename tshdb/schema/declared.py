"""Tables that are declared as classes, without an object mapper: SQLAlchemy's words for it, a tenth of its time.

A class has a docstring, `__tablename__` and columns as annotations, `name: Mapped[str | None] = mapped_column(...)`, as
SQLAlchemy's declarative classes have; those of `sqlalchemy.orm` are taken as well. What comes of it is `__table__` and one
column a name. The class stands for its table in statements. Rows are never objects of the class:
docs/decisions/0027-tables-without-a-mapper.md.
"""

from __future__ import annotations

import datetime
import sys
import types
import typing
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Time,
)  # fmt: skip
from sqlalchemy.types import TypeEngine

TYPES: dict[Any, type[TypeEngine]] = {
    str: Text, float: Double, int: Integer, bool: Boolean, bytes: LargeBinary,
    datetime.date: Date, datetime.datetime: DateTime, datetime.time: Time, datetime.timedelta: Interval, Decimal: Numeric,
}  # fmt: skip

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase
    from sqlalchemy.orm import Mapped as Mapped
    from sqlalchemy.orm import mapped_column as mapped_column

    Declared = DeclarativeBase
else:

    class Mapped:
        """`Mapped[kind]`: the annotation of a column."""

        def __class_getitem__(cls, kind):
            return types.GenericAlias(cls, (kind,))

    class _Awaited:
        """What `mapped_column` was given, until the class says what the column is called."""

        __slots__ = ("args", "options")

        def __init__(self, args: tuple, options: dict[str, Any]):
            self.args, self.options = args, options

    def mapped_column(*args, **options) -> Any:
        """A column of the class in which it stands. Arguments: as those of sqlalchemy.Column, without its name."""
        return _Awaited(args, options)

    class Declared:
        """The root of classes that are tables. `metadata`: where their tables are registered; `declared`: these classes."""

        metadata: ClassVar[MetaData]
        declared: ClassVar[list[type]]
        __table__: ClassVar[Table]

        def __init_subclass__(cls, **options) -> None:
            super().__init_subclass__(**options)
            if "__tablename__" not in vars(cls):
                return
            columns = _columns(cls)
            extra = vars(cls).get("__table_args__", ())
            named = extra[-1] if extra and isinstance(extra[-1], dict) else {}
            cls.__table__ = Table(
                cls.__tablename__, cls.metadata, *columns.values(), *(extra[:-1] if named else extra), **named
            )
            for name, column in columns.items():
                setattr(cls, name, column)
            cls.declared.append(cls)

        @classmethod
        def __clause_element__(cls) -> Table:
            """What stands for the class in a statement."""
            return cls.__table__


def _columns(cls: type) -> dict[str, Column]:
    """The columns of a class in the order of its annotations, those of the classes beside its root after its own."""
    found: dict[str, Column] = {}
    for owner in cls.__mro__:
        for name, annotation in vars(owner).get("__annotations__", {}).items():
            of = _kind(annotation, owner)
            if of is not None and name not in found:
                found[name] = _column(cls, name, of[0], vars(owner).get(name))
    return found


def _kind(annotation: Any, owner: type) -> tuple[Any] | None:
    """(what is in the brackets of Mapped[...],), or None for an annotation that is no column."""
    if isinstance(annotation, str):  # the module has `from __future__ import annotations`
        if not annotation.partition("[")[0].endswith("Mapped"):
            return None
        annotation = eval(annotation, vars(sys.modules[owner.__module__]))
    if getattr(typing.get_origin(annotation), "__name__", None) != "Mapped":
        return None
    return typing.get_args(annotation)[:1]


def _column(cls: type, name: str, kind: Any, given: Any) -> Column:
    members = [m for m in typing.get_args(kind) if m is not types.NoneType] or [kind]
    may_be_null = len(typing.get_args(kind)) > len(members)
    args, options = _given(given)
    args = tuple(_again(a) if isinstance(a, ForeignKey) else a for a in args)  # one declaration serves several classes
    if not any(isinstance(a, TypeEngine) or (isinstance(a, type) and issubclass(a, TypeEngine)) for a in args):
        if len(members) != 1 or members[0] not in TYPES:
            words = "name its type in mapped_column(...)"
            raise TypeError(f"{cls.__name__}.{name}: no type of column is known for {kind}: {words}")
        at = int(bool(args) and isinstance(args[0], str))
        args = (*args[:at], TYPES[members[0]], *args[at:])
    if isinstance(args[0], str):  # in the database it has another name
        name, args = args[0], args[1:]
    return Column(name, *args, **{"nullable": may_be_null and not options.get("primary_key", False)} | options)


def _given(given: Any) -> tuple[tuple, dict[str, Any]]:
    """The arguments of a column, of our mapped_column or of SQLAlchemy's."""
    if given is None:
        return (), {}
    if not hasattr(given, "column"):
        return given.args, given.options
    column = given.column
    args = (*filter(None, [column.name]), *(() if column.type._isnull else (column.type,)), *column.foreign_keys)
    options = {n: getattr(column, n) for n in ("primary_key", "doc", "index", "unique", "server_default", "default")}
    options |= {"info": dict(column.info), "autoincrement": column.autoincrement}
    if given._has_nullable:
        options["nullable"] = column.nullable
    return args, options


def _again(key: ForeignKey) -> ForeignKey:
    return ForeignKey(key.target_fullname, name=key.name, onupdate=key.onupdate, ondelete=key.ondelete)
