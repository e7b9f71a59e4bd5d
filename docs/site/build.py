"""The manual as a site: python docs/site/build.py FOLDER [DEMO] (`make site`). Needs the extra `docs`, and no network.

The pages lie flat in docs/, where `tshdb docs` and a repository's reader find them. Here they are put into a folder together
with the decisions, the glossary and what else they link to; the headings and links of index.md become the navigation.

Pictures are drawn from the demo, which is made anew unless one is named. A page says where one belongs and what is on it:
<!-- picture: km.svg | words for who does not see it -->. Where Chromium is not there, the one of the report is left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
DOCS, ROOT = HERE.parent, HERE.parents[1]
BESIDE = ("GLOSSARY.md", "CHANGELOG.md", "CONTRIBUTING.md")  # pages of the repository that are pages of the site
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
LINK = re.compile(r"^- \[([^\]]+)\]\((?:\.\./)?([^)]+)\.md\)", re.M)
COMMENT = re.compile(r"<!--.*?-->\n?", re.S)
PICTURE = re.compile(r"<!-- picture: (\S+) \| (.+?) -->")


def sections(index: str) -> dict[str, list[tuple[str, str]]]:
    """Heading of index.md -> the words and the pages of its links, without their suffix."""
    parts = re.split(r"^## (.+)\n", index, flags=re.M)[1:]
    return {title: LINK.findall(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}


def with_navigation(index: str) -> str:
    """index.md with what Sphinx makes its navigation of."""
    trees = (
        f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n"
        + "".join(f"{words} <{page}>\n" for words, page in pages)
        + "```\n"
        for title, pages in sections(index).items()
    )
    return "\n".join([index, *trees])


def for_sphinx(text: str, pictures: set[str]) -> str:
    """A page as Sphinx takes it: pictures in their places, no comments, no languages that nobody colours."""
    text = PICTURE.sub(lambda m: f"![{m[2]}](pictures/{m[1]})" if m[1] in pictures else "", text)
    text = COMMENT.sub("", text)
    text = re.sub(r"^```(arrows|layers|csv)$", "```text", text, flags=re.M)
    text = re.sub(r"\]\((?:\.\./)+((?:" + "|".join(map(re.escape, BESIDE)) + r")[)#])", r"](\1", text)
    return re.sub(r"\]\(docs/", "](", text)


def drawn(folder: Path, study: Path | None) -> set[str]:
    """Make the pictures in FOLDER, from the demo. Gives their names."""
    with tempfile.TemporaryDirectory() as work:
        if study is None:
            study = Path(work) / "demo-study"
            tshdb("demo", study)
        for name in ("km", "flow"):
            tshdb("figure", name, "--out", folder / f"{name}.svg", "--study", study)
        if chromium := next(filter(None, map(shutil.which, CHROMIUM)), None):
            page = (study / "reports" / "report.html").resolve().as_uri()
            options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,800")
            profile = f"--user-data-dir={work}/profile"
            run(chromium, *options, profile, f"--screenshot={folder / 'report.png'}", page)
        else:
            print("No Chromium here: the picture of the report is left out.")
    return {path.name for path in folder.iterdir()}


def tshdb(*words: object) -> None:
    run(sys.executable, "-c", "from tshdb.start import main; main()", *words)


def run(*words: object) -> None:
    """Run a program, quietly unless it fails."""
    done = subprocess.run(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}")


def assemble(source: Path, study: Path | None) -> None:
    """All that Sphinx reads, in SOURCE."""
    (source / "pictures").mkdir(parents=True)
    pictures = drawn(source / "pictures", study)
    pages = [(path, source / path.name) for path in (*DOCS.glob("*.md"), *(ROOT / name for name in BESIDE))]
    pages += [(path, source / "decisions" / path.name) for path in (DOCS / "decisions").glob("*.md")]
    (source / "decisions").mkdir()
    for path, place in pages:
        text = path.read_text(encoding="utf-8")
        place.write_text(
            for_sphinx(with_navigation(text) if path.name == "index.md" else text, pictures), encoding="utf-8"
        )
    with (source / "choices.md").open("a", encoding="utf-8") as file:
        file.write("\n```{toctree}\n:hidden:\n:glob:\n\ndecisions/*\n```\n")
    for path in (*DOCS.glob("*.svg"), *DOCS.glob("*.png"), *DOCS.glob("*.ipynb"), DOCS / "llms.txt"):
        shutil.copy(path, source)
    (source / "static").mkdir()
    shutil.copy(HERE / "site.css", source / "static")
    shutil.copy(HERE / "conf.py", source)


def main(folder: Path, study: Path | None = None) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / ".buildinfo").is_file():
        sys.exit(f"{folder} holds something else than a site that was built here. Name a new folder")
    with tempfile.TemporaryDirectory() as work:
        source = Path(work) / "source"
        assemble(source, study)
        shutil.rmtree(folder, ignore_errors=True)
        built = (
            "-m",
            "sphinx",
            "--builder",
            "html",
            "--fail-on-warning",
            "--keep-going",
            "--quiet",
            "-d",
            f"{work}/trees",
        )
        if code := subprocess.run([sys.executable, *built, source, folder], check=False).returncode:
            sys.exit(code)
    print(f"Open {(folder / 'index.html').resolve().as_uri()}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
