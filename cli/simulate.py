"""tshdb simulate: a whole study in the archives' formats, with a planted truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out_json, progress, say
from cli.options import JsonOption

EFFECTS = ("rna", "texture", "survival")


def add_to(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write; one that was simulated can grow.")],
    patients: Annotated[
        int | None, typer.Option(min=1, help="How many, in about the paper's proportions (10).")
    ] = None,
    like_paper: Annotated[
        bool, typer.Option("--like-paper", help="The paper's cohorts: 112, 886, 91, 180 and 61 patients.")
    ] = False,
    cohorts: Annotated[
        str | None, typer.Option(help="How many of each: pair=40,tumor=60,radiogenomic=30,ispy1=40,nact=20.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other patients.")] = 1,
    effect: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SIZE", help="rna (times), texture (SD), survival (log hazard ratio); or none."),
    ] = None,
    genes: Annotated[int, typer.Option(min=120, max=60_660, help="Genes of an RNA file.")] = 2_000,
    voxel_mm: Annotated[float, typer.Option(min=0.5, max=4.0, help="Size of a pixel of the images.")] = 1.6,
    visits: Annotated[int, typer.Option(min=1, max=4, help="Examinations a patient.")] = 1,
    images: Annotated[bool, typer.Option("--images/--no-images", help="Write images and masks.")] = True,
    layout: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="How all dynamic scans are laid out (enhanced-philips …), outlines written (outline-rtstruct …), images "
            "delivered (resent, split-folders): one of each. Else as archives have them.",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Processes.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Simulate a study: GDC and TCIA folders, workbooks, masks, and truth.json. Nobody in it is a person.

    A tumour-stroma heterogeneity is planted that moves RNA, image texture and survival by stated amounts: for tests, power
    analyses and demonstrations. The same settings give the same bytes; asked for more patients, the study grows.

    Example: tshdb simulate sim --patients 20 --effect survival=1.0
    """
    from analyses.expression import markers as marker_table
    from ingest.simulate.star_counts import Marker
    from ingest.simulate.study import write_study
    from ingest.simulate.subjects import PAPER, POPULATIONS, SimulationSettings, counts_of

    chosen = [patients is not None, like_paper, cohorts is not None]
    counts = PAPER if like_paper else _counts(cohorts) if cohorts else counts_of(patients or 10)
    if sum(chosen) > 1:
        from tshdb.errors import UsageError

        raise UsageError("two of --patients, --like-paper and --cohorts", where="tshdb simulate", repair="Give one")
    settings = SimulationSettings(
        seed, _effects(effect or []), genes, voxel_mm, n_visits=visits, has_images=images, **_ways(layout or [])
    )
    _, rows = marker_table.read("mcp_counter", Path())
    markers = tuple(
        Marker(r["population"], r["marker"], r["ensembl"])
        for r in rows
        if r["ensembl"] and r["population"] in POPULATIONS
    )
    with progress() as show:
        done = write_study(out, counts, settings, markers, jobs=jobs, progress=show)
    facts = {
        "folder": str(out), "new": done.n_new, "before": done.n_before,
        "cohorts": {str(role): n for role, n in done.counts.items()}, "settings": settings.record(),
    }  # fmt: skip
    if as_json:
        out_json(facts)
        return
    words = ", ".join(f"{n:,} {role}" for role, n in done.counts.items() if n)
    before = f" ({done.n_before:,} were there)" if done.n_before else ""
    say(f"Simulated {done.n_new:,} patients{before}: {words}. Nobody here is a person.")
    say(f"What was planted: {out / 'truth.json'}. How to ingest: {out / 'README.txt'}")


def _counts(text: str) -> dict:
    from ingest.simulate.subjects import Role
    from tshdb.errors import UsageError

    counts = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in set(Role) or not number.isdecimal():
            raise UsageError(
                f"'{part}'", where="--cohorts", repair=f"Write {', '.join(f'{role}=N' for role in Role)}, with commas"
            )
        counts[Role(name)] = int(number)
    return counts


def _ways(texts: list[str]) -> dict[str, str]:
    """layout, outline, delivery -> the name that was given, as it is listed."""
    from tshdb.errors import UsageError

    if not texts:
        return {}
    from ingest.simulate.deliveries import DELIVERIES
    from ingest.simulate.enhanced_layouts import ALL
    from ingest.simulate.outlines import OUTLINES

    known = {"layout": tuple(ALL), "outline": tuple(OUTLINES), "delivery": DELIVERIES}
    found: dict[str, str] = {}
    for text in texts:
        name = text.replace("-", " ").lower()
        way = next((way for way, names in known.items() if name in names), None)
        if way is None:
            listed = "; ".join(", ".join(n.replace(" ", "-") for n in names) for names in known.values())
            raise UsageError(f"no layout '{text}'", where="--layout", repair=f"One of {listed}")
        if way in found:
            both = " and ".join(n.replace(" ", "-") for n in (found[way], name))
            raise UsageError(f"{both} are two of one kind", where="--layout", repair="Give one of them")
        found[way] = name
    return found


def _effects(texts: list[str]):
    from ingest.simulate.subjects import Effects
    from tshdb.errors import UsageError

    if "none" in texts:
        return Effects(0.0, 0.0, 0.0)
    values = {}
    for text in texts:
        name, _, size = text.partition("=")
        try:
            values[name] = float(size)
        except ValueError:
            values[name] = float("nan")
        least, most = (0.0, 10.0) if name == "rna" else (-10.0, 10.0)
        if name not in EFFECTS or not least <= values[name] <= most:
            raise UsageError(
                f"'{text}'",
                where="--effect",
                repair="Write rna=SIZE from 0, texture=SD, survival=LOG_HAZARD_RATIO, or none",
            )
    return Effects(**values)
