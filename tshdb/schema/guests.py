"""What the database says of analyses that are not this program's, so that their results are known without their code."""

from sqlalchemy import ForeignKey

from tshdb.schema.base import Base
from tshdb.schema.declared import Mapped, mapped_column


class GuestTable(Base):
    """One row is one table of results that another package, or the study's own folder, has declared."""

    __tablename__ = "guest_tables"
    table_name: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(doc="the package, or `analyses/` for the study's own folder")
    one_row: Mapped[str] = mapped_column(doc="what one row of the table is")
    columns: Mapped[str] = mapped_column(doc="JSON: of each column name, type, digits, key, meaning, what it names")
    made_at: Mapped[str] = mapped_column(doc="UTC: when the table was made as it stands")


class GuestAnalysis(Base):
    """One row is one analysis that another package, or the study's own folder, has offered and that was rebuilt here."""

    __tablename__ = "guest_analyses"
    analysis: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(doc="the package, or `analyses/` for the study's own folder")
    version: Mapped[str | None] = mapped_column(doc="of the package, when it was rebuilt last")
    kind: Mapped[str] = mapped_column(doc="map, apply, fit or summary")
    per: Mapped[str] = mapped_column(doc="the entity of its units")
    table_name: Mapped[str] = mapped_column(doc="the table that it makes: a guest's, or one of this program's")
    guest_table: Mapped[str | None] = mapped_column(ForeignKey("guest_tables.table_name"), doc="the same, of a guest's")
    replaces: Mapped[str | None] = mapped_column(doc="the analysis in whose place it can stand")
    needs: Mapped[str] = mapped_column(doc="JSON: role -> table")
    about: Mapped[str] = mapped_column(doc="what it computes, and the source that it follows")
    seen_at: Mapped[str] = mapped_column(doc="UTC: when it was rebuilt last")
