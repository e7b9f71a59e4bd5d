"""The picture of an examination's regions on the prepared images, as features see them: breast, tumour, stroma, lesions."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from tshdb.figures.examination_drawings import legend, legend_height, letter_of, outline
from tshdb.figures.examinations import SAME, lesion_name, tables_of
from tshdb.figures.palette import BAND, DARK, EDGE, LETTER, QUIET, REGIONS, TEXT, WARNING, Line, lines_of
from tshdb.next_step import NoRows
from tshdb.objects import VOXELS

if TYPE_CHECKING:
    import SimpleITK as sitk
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tshdb.study import Study

TABLES = {"breast": "breast_masks", "tumor": "tumor_masks", "stroma": "stroma_bands"}
ORDER = ("breast", "stroma", "lesion", "tumor")  # the last one lies above the others


class Rows:
    """What the tables say of an examination's regions: the facts of each, which have voxels, how these are drawn."""

    def __init__(self, study: Study, study_uid: str):
        rows_of = tables_of(study, study_uid)

        def of(table: str) -> list[dict[str, Any]]:
            frame = rows_of(table)
            return frame.astype(object).where(frame.notna(), None).to_dict("records")

        self.images = {row["image"]: row["object_id"] for row in of("prepared_images")}
        self.study_uid = study_uid
        self.facts = {name: (of(table) or [{}])[0] for name, table in TABLES.items()}
        self.objects: dict[str, str] = {
            name: facts["object_id"] for name, facts in self.facts.items() if facts.get("object_id")
        }
        others = {
            lesion_name(row["lesion"], row["kind"]): row
            for row in sorted(of("lesions"), key=lambda row: row["lesion"])
            if row["object_id"] and any(row[name] != self.facts["tumor"].get(name) for name in SAME)
        }
        self.lines: dict[str, Line] = {name: REGIONS[name] for name in self.objects}
        lines = lines_of([(int(row["lesion"]), name) for name, row in others.items()])
        self.lines |= dict(zip(others, lines, strict=True))
        self.objects |= {name: row["object_id"] for name, row in others.items()}
        for row in sorted(of("lesion_bands"), key=lambda row: row["lesion"]):
            if row["object_id"]:
                name = f"stroma of lesion {row['lesion']}"
                (line,) = lines_of([(int(row["lesion"]), name)])
                self.lines[name], self.objects[name] = line._replace(style=BAND), row["object_id"]

    def refuse_without_images(self) -> None:
        """Raises NoRows without prepared images: there is nothing to draw them on."""
        if not self.images:
            where = self.study_uid
            raise NoRows("no prepared images", analyses=("prepared_images",), key=where, where=where)


class Regions:
    """What is drawn: images and masks as (slices, rows, columns), what the tables say of them."""

    def __init__(self, study: Study, study_uid: str, rows: Rows | None = None):
        """rows: of the same examination, where they were read before."""
        import SimpleITK as sitk

        from tshdb.images.prepared import read as made

        def read(digest: str) -> sitk.Image:
            return made(study.objects.verified(digest, VOXELS))

        rows = rows or Rows(study, study_uid)
        rows.refuse_without_images()
        images = {name: read(digest) for name, digest in rows.images.items()}
        self.like = images["S0"]
        self.volumes = {name: sitk.GetArrayFromImage(image) for name, image in images.items()}
        self.facts, self.lines = rows.facts, rows.lines
        self.masks = {name: sitk.GetArrayFromImage(read(digest)) > 0 for name, digest in rows.objects.items()}

    @property
    def mean(self) -> float:
        """What the images are divided by: the parenchyma's mean before contrast, else that of the whole image."""
        return self.facts["stroma"].get("parenchyma_s0") or float(self.volumes["S0"].mean()) or 1.0

    def maps(self) -> dict[str, np.ndarray]:
        s0 = self.volumes["S0"] / self.mean
        return {
            "S0": s0,
            "SI": self.volumes["intermediate"] / self.mean - s0,
            "SL": self.volumes["last"] / self.mean - s0,
        }

    def shown(self) -> tuple[int, ...]:
        """Where the tumour is largest in each direction; else the breast; else the middle."""
        mask = next((self.masks[n] for n in ("tumor", "breast") if n in self.masks and self.masks[n].any()), None)
        if mask is None:
            return tuple(n // 2 for n in self.volumes["S0"].shape)
        return tuple(int(mask.sum(axis=tuple(a for a in range(3) if a != axis)).argmax()) for axis in range(3))


def picture(regions: Regions, heading: str) -> Figure:
    """S0, SI and SL through the tumour, SI in the other planes, and the values inside tumour and stroma."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.2, 9.0), facecolor=DARK)
    bottom = 0.05 + legend_height(len(regions.masks) + 1)
    axes = figure.subplots(2, 3, gridspec_kw={"hspace": 0.16, "wspace": 0.06, "top": 0.83, "bottom": bottom,
                                             "left": 0.02, "right": 0.98})  # fmt: skip
    maps, at = regions.maps(), regions.shown()
    for axis, (name, title) in zip(axes[0], (("S0", "S0"), ("SI", "SI = intermediate - S0"), ("SL", "SL = last - S0")),
                                   strict=True):  # fmt: skip
        _plane(axis, regions, maps[name], 0, at[0], f"{title}, slice {at[0] + 1} of {len(maps[name])}")
    _plane(axes[1, 0], regions, maps["SI"], 1, at[1], "SI, across the slices (rows)")
    _plane(axes[1, 1], regions, maps["SI"], 2, at[2], "SI, across the slices (columns)")
    _values(axes[1, 2], regions, maps["SI"])
    is_cut = {name: any(mask.take(at[a], axis=a).any() for a in range(3)) for name, mask in regions.masks.items()}
    legend(figure, [(line, line.name, is_cut[name]) for name, line in regions.lines.items()])
    figure.text(0.02, 0.955, heading, color="#ffffff", fontsize=14, weight="bold")
    for i, (text, color) in enumerate(_lines(regions)):
        figure.text(0.02, 0.928 - 0.022 * i, shorten(text, 165, placeholder=" ..."), color=color, fontsize=9.5)
    return figure


def _plane(axis: Axes, regions: Regions, values: np.ndarray, across: int, at: int, title: str) -> None:
    spacing = regions.like.GetSpacing()[::-1]
    rows, columns = (a for a in range(3) if a != across)
    plane = values.take(at, axis=across)
    axis.imshow(plane, cmap="gray", vmin=0, vmax=float(np.percentile(values, 99.7)) or 1.0,
                aspect=spacing[rows] / spacing[columns], interpolation="nearest")  # fmt: skip
    for name, mask in sorted(regions.masks.items(), key=lambda pair: ORDER.index(pair[0].partition(" ")[0])):
        outline(axis, regions.lines[name], mask, across, at)
    axis.set_title(title, color=TEXT, fontsize=10)
    axis.set_xticks([])
    axis.set_yticks([])
    direction = np.array(regions.like.GetDirection()).reshape(3, 3)
    along = {a: direction[:, 2 - a] for a in range(3)}
    for x, y, toward in ((0.02, 0.5, -along[columns]), (0.98, 0.5, along[columns]), (0.5, 0.97, -along[rows]),
                         (0.5, 0.03, along[rows])):  # fmt: skip
        axis.text(x, y, letter_of(toward), color=LETTER, fontsize=11, ha="center", va="center",
                  transform=axis.transAxes)  # fmt: skip


def _values(axis: Axes, regions: Regions, values: np.ndarray) -> None:
    """How SI is spread in tumour and stroma."""
    axis.set_facecolor(DARK)
    for name in ("stroma", "tumor"):
        if name in regions.masks and regions.masks[name].any():
            inside = values[regions.masks[name]]
            low, high = np.percentile(inside, [0.5, 99.5])
            axis.hist(inside, bins=np.linspace(low, max(high, low + 1e-6), 60), density=True, histtype="step",
                      color=REGIONS[name].color, linewidth=1.6, label=REGIONS[name].name)  # fmt: skip
            axis.legend(facecolor=DARK, edgecolor=EDGE, labelcolor=TEXT, fontsize=9)
    axis.set_title("SI inside, divided by the parenchyma's S0", color=TEXT, fontsize=10)
    axis.tick_params(colors=QUIET, labelsize=8)
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_color(EDGE)


def _lines(regions: Regions) -> list[tuple[str, str]]:
    breast, tumor, stroma = (regions.facts[n] for n in ("breast", "tumor", "stroma"))
    lines = []
    if breast.get("object_id"):
        ml = f"right {breast['right_ml']:.0f} ml, left {breast['left_ml']:.0f} ml"
        lines.append((f"breast ({breast['status']}): {ml}{_flags(breast)}", REGIONS["breast"].color))
    else:
        lines.append((f"breast: none. {breast.get('reason') or 'not looked for yet'}", WARNING))
    if tumor.get("object_id"):
        lines.append(
            (
                f"tumour ({tumor['kind']}): {tumor['volume_ml']:.1f} ml, {tumor['side']}{_flags(tumor)}",
                REGIONS["tumor"].color,
            )
        )
    else:
        lines.append((f"tumour: none. {tumor.get('reason') or 'not looked for yet'}", WARNING))
    if stroma.get("object_id"):
        cut = f"{stroma['volume_ml']:.0f} ml within {stroma['width_mm']:g} mm, {stroma['cut_off']:.0%} of the band cut off"
        lines.append((f"stroma: {cut}; parenchyma's mean {stroma['parenchyma_s0']:.0f}", REGIONS["stroma"].color))
    else:
        lines.append((f"stroma: none. {stroma.get('reason') or 'not looked for yet'}", WARNING))
    return lines


def _flags(facts: dict[str, Any]) -> str:
    return f"  |  look at: {facts['qc_flags']}" if facts.get("qc_flags") else ""
