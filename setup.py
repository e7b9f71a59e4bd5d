"""What pyproject.toml cannot say: the manual's pages lie in docs/, and the glossary beside it; they go into the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithManual(build_py):
    """Beside the modules, docs/*.md and GLOSSARY.md in tshdb/docs. An editable installation reads them where they lie."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        folder = Path(self.build_lib) / "tshdb" / "docs"
        folder.mkdir(parents=True, exist_ok=True)
        for page in (*sorted((ROOT / "docs").glob("*.md")), ROOT / "GLOSSARY.md"):
            shutil.copyfile(page, folder / page.name)


setup(cmdclass={"build_py": BuildWithManual})
