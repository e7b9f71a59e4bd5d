"""Tables without a mapper: the same as SQLAlchemy's own declarative classes make of the same words."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import ClassVar

import pytest
from sqlalchemy import Enum, ForeignKey, MetaData, Text, create_engine, insert, select
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped as OrmMapped
from sqlalchemy.orm import mapped_column as orm_column
from sqlalchemy.schema import CreateTable

from tshdb.schema.declared import Declared, Mapped, mapped_column
from tshdb.vocabulary import RunState


class Root(Declared):
    metadata = MetaData()
    declared: ClassVar[list[type]] = []


class Mapper(DeclarativeBase):
    type_annotation_map: ClassVar = {str: Text}


def _declare(root, Mapped, mapped_column):
    class Beside:
        key: Mapped[str] = mapped_column(ForeignKey("stones.name"), primary_key=True, info={"digits": 3})

    class Stone(root):
        """One row is one stone."""

        __tablename__ = "stones"
        name: Mapped[str] = mapped_column(primary_key=True, doc="its name")

    class Find(Beside, root):
        """One row is one find."""

        __tablename__ = "finds"
        depth: Mapped[int | None]
        is_whole: Mapped[bool] = mapped_column(default=False)
        state: Mapped[RunState | None] = mapped_column(Enum(RunState, native_enum=False, length=16))
        found_on: Mapped[datetime.date | None] = mapped_column("found on")
        words: Mapped[str] = mapped_column(index=True, nullable=True, server_default="none")
        n_seen: int = 0

    return Stone, Find


@pytest.fixture(scope="module")
def ours():
    return _declare(Root, Mapped, mapped_column)


@pytest.fixture(scope="module")
def theirs():
    return _declare(Mapper, OrmMapped, orm_column)


def _facts(column):
    keys = sorted(f.target_fullname for f in column.foreign_keys)
    default = column.default.arg if column.default is not None else None
    server = column.server_default.arg if column.server_default is not None else None
    return (
        column.key, column.name, repr(column.type),
        column.nullable, column.primary_key, column.doc, column.info, keys, default, server,
        column.index, column.autoincrement,
    )  # fmt: skip


def test_tables_are_those_that_a_mapper_makes(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        assert str(CreateTable(one.__table__)) == str(CreateTable(other.__table__))
        assert [_facts(c) for c in one.__table__.columns] == [_facts(c) for c in other.__table__.columns]
        assert {i.name for i in one.__table__.indexes} == {i.name for i in other.__table__.indexes}
    assert Root.declared[:2] == list(ours)


def test_words_of_the_mapper_are_taken_as_well(ours):
    class Another(Declared):
        metadata = MetaData()
        declared: ClassVar[list[type]] = []

    for one, other in zip(ours, _declare(Another, OrmMapped, orm_column), strict=True):
        assert [_facts(c) for c in one.__table__.columns] == [_facts(c) for c in other.__table__.columns]


def test_the_class_stands_for_its_table_in_statements(ours):
    stone, find = ours
    engine = create_engine("sqlite://")
    Root.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(stone).values(name="7"))
        connection.execute(insert(find).values(key="7", depth=2))
        found = select(find.depth, find.is_whole, stone).join(stone, find.key == stone.name)
        assert connection.execute(found).all() == [(2, False, "7")]
        other = stone.__table__.alias()
        assert connection.execute(select(other.c.name).where(other.c.name.in_(select(stone.name)))).scalar() == "7"


def test_a_column_of_an_unknown_type_is_refused_by_name():
    with pytest.raises(TypeError, match=r"Odd\.what: no type of column is known for .*complex"):

        class Odd(Root):
            __tablename__ = "odd"
            what: Mapped[complex]


@pytest.mark.parametrize("module", ["tshdb.actions.planning", "tshdb.actions.explaining", "analyses"])
def test_what_plans_imports_no_frames_and_no_mapper(module):
    heavy = "'pandas', 'pyarrow', 'scipy', 'sklearn', 'lifelines', 'SimpleITK', 'numba', 'sqlalchemy.orm.mapper'"
    line = f"import sys, {module}; print([m for m in ({heavy}) if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
