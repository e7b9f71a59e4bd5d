"""What pip leaves of a package, without pip: its modules and its entry points in a folder for PYTHONPATH."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path


def information(site: Path, name: str, version: str, entry_points: Mapping[str, Mapping[str, str]]) -> None:
    """The metadata of a package. entry_points: group -> name -> object."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = (
        f"[{group}]\n" + "".join(f"{key} = {place}\n" for key, place in points.items())
        for group, points in entry_points.items()
    )
    (folder / "entry_points.txt").write_text("\n".join(groups))


def install(project: Path, site: Path) -> None:
    """A project folder with pyproject.toml and packages that it lists."""
    said = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    information(site, said["project"]["name"], said["project"]["version"], said["project"]["entry-points"])
    for package in said["tool"]["setuptools"]["packages"]:
        shutil.copytree(project / package, site / package)


def uninstall(name: str, site: Path) -> None:
    plain = name.replace("-", "_")
    for path in [*site.glob(f"{plain}-*.dist-info"), site / plain]:
        shutil.rmtree(path)
