"""What pyproject.toml cannot say: the manual's pages lie in docs/, and go into the package when it is built."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithManual(build_py):
    """Beside the modules, docs/*.md as tshdb/docs/*.md. An editable installation reads them where they lie."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        folder = Path(self.build_lib) / "tshdb" / "docs"
        folder.mkdir(parents=True, exist_ok=True)
        for page in sorted((ROOT / "docs").glob("*.md")):
            shutil.copyfile(page, folder / page.name)


setup(cmdclass={"build_py": BuildWithManual})
