"""Files that commands wrote outside of the study: a withdrawal names them."""

from tshdb.schema.base import Base
from tshdb.schema.declared import Mapped, mapped_column


class WrittenFile(Base):
    """One row is one content of a file, or a folder, that a command made of the study and wrote outside of it."""

    __tablename__ = "written_files"
    written_file_id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(doc="where it was written, in full")
    kind: Mapped[str] = mapped_column(
        doc="table, figure, picture, report, methods, manuscript, query, export, backup, bundle"
    )
    name: Mapped[str] = mapped_column(doc="which table, figure or export; of a query nothing but that it was one")
    sha256: Mapped[str | None] = mapped_column(doc="of a file as it was written; none of a folder")
    written_at: Mapped[str] = mapped_column(doc="UTC; of the last time, where the same content was written again")
    of_patients: Mapped[bool | None] = mapped_column(
        doc="whether it holds rows or images of single patients; empty: not known"
    )
    cohorts: Mapped[str | None] = mapped_column(
        doc="JSON: the cohort versions that it is of; empty: of any patient of the study"
    )
    patient_id: Mapped[str | None] = mapped_column(doc="the patient whose pictures it holds, where it is of one alone")
