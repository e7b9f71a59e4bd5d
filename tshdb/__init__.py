"""tshdb: the study database for radiogenomics.

Every number can be traced to bytes, code and parameters; nothing is computed again without a reason that can be
printed; nothing that should be computed again is missed.

This package is the core: it knows the database and the engine, and no file format, no statistic and no terminal.
"""

from tshdb import loaded

loaded.install()  # before any other module, so that its text is kept

from tshdb.version import __version__  # noqa: E402

__all__ = ["__version__", "make", "open"]


def open(path=None):
    """The study at `path` (a folder with study.toml; default: the nearest parent folder that is one)."""
    from tshdb.open_study import OpenStudy

    return OpenStudy.find(path)


def make(folder, database="sqlite:///study.db", preset="fan2023"):
    """A new study in a folder, which must not be one already: settings, the preset's cohort files, an empty database."""
    from pathlib import Path

    from tshdb.actions.making import make_study
    from tshdb.open_study import OpenStudy

    return OpenStudy(make_study(Path(folder), database, preset).root)
