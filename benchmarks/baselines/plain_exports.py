"""The same exports by others: python -m benchmarks.baselines.plain_exports KIND STUDY.db OURS FOLDER."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def main(kind: str, database: Path, ours: Path, folder: Path) -> None:
    folder.mkdir()
    if kind in ("parquet", "csv"):
        _tables(kind, database, [path.stem for path in sorted(ours.glob(f"*.{kind}"))], folder)
    elif kind == "anndata":
        import anndata

        for path in ours.glob("*.h5ad"):
            anndata.read_h5ad(path).write_h5ad(folder / path.name)
    elif kind == "mudata":
        import mudata

        for path in ours.glob("*.h5mu"):
            mudata.read_h5mu(path).write_h5mu(folder / path.name)
    elif kind == "cbioportal":
        import pandas as pd

        for path in ours.glob("data_*.txt"):
            pd.read_csv(path, sep="\t", comment="#", low_memory=False).to_csv(folder / path.name, sep="\t", index=False)
    else:
        from rocrate.rocrate import ROCrate

        _tables("csv", database, [path.stem for path in sorted((ours / "tables").glob("*.csv"))], folder)
        crate = ROCrate()
        for path in (*folder.glob("*.csv"), *(ours / "code").iterdir()):
            crate.add_file(path, path.name)
        crate.write(folder / "crate")


def _tables(kind: str, database: Path, names: list[str], folder: Path) -> None:
    import pandas as pd

    with closing(sqlite3.connect(database)) as raw:
        for name in names:
            frame = pd.read_sql(f'SELECT * FROM "{name}"', raw)
            path = folder / f"{name}.{kind}"
            frame.to_parquet(path) if kind == "parquet" else frame.to_csv(path, index=False)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
