"""The works that the Methods cite. A DOI stands only where the analysis that follows the work names it."""

from __future__ import annotations

import re
from typing import NamedTuple

DOI = re.compile(r"10\.\d{4,9}/[^\s,;\"'\]>]+[^\s,;.\"'\]>]")


class Reference(NamedTuple):
    """A work. key: how sentences name it; doi: None where none is known to the program."""

    key: str
    text: str
    doi: str | None

    @property
    def line(self) -> str:
        """As a list of references has it."""
        return self.text if self.doi is None else f"{self.text} https://doi.org/{self.doi}".strip()


FAN = "10.1186/s12967-023-04748-6"
BECHT = "10.1186/s13059-016-1070-5"
RADIOMICS = "10.1158/0008-5472.CAN-17-0339"
IBSI = "10.1148/radiol.2020191145"
MOTION = "10.1109/TMI.2002.803315"
KINETICS = "10.1148/radiol.12110748"
GROWING = "10.1016/j.compmedimag.2005.10.001"
PERTURBED = "10.1038/s41598-018-36938-4"
ICC = "10.1037/0033-2909.86.2.420"
PH = "10.1093/biomet/81.3.515"
GRAY = "10.1214/aos/1176350951"
QUANTILES = "10.2307/2530286"
DELONG = "10.2307/2531595"
MAXSTAT = "10.1016/S0167-9473(02)00225-6"
MICE = "10.18637/jss.v045.i03"
HAZARD = "10.1002/sim.3618"
FOREST = "10.1023/A:1010933404324"
COMBAT = "10.1093/biostatistics/kxj037"
NET = "10.18637/jss.v033.i01"
SHUFFLED = "10.1016/j.radonc.2018.10.027"

WORKS = {
    FAN: "Fan et al. 2023, J Transl Med.",
    BECHT: "Becht et al. 2016, Genome Biol 17:218.",
    RADIOMICS: "van Griethuysen et al. 2017, Cancer Res 77:e104.",
    IBSI: "Zwanenburg et al. 2020, Radiology 295:328.",
    MOTION: "Mattes et al. 2003, IEEE Trans Med Imaging 22:120.",
    KINETICS: "Hylton et al. 2012, Radiology 263:663.",
    GROWING: "Chuang et al. 2006, Comput Med Imaging Graph 30:9.",
    PERTURBED: "Zwanenburg et al. 2019, Sci Rep 9:614.",
    ICC: "Shrout and Fleiss 1979, Psychol Bull 86:420.",
    PH: "Grambsch and Therneau 1994, Biometrika 81:515.",
    GRAY: "Gray 1988, Ann Stat 16:1141.",
    QUANTILES: "Brookmeyer and Crowley 1982, Biometrics 38:29.",
    DELONG: "DeLong et al. 1988, Biometrics 44:837.",
    MAXSTAT: "Hothorn and Lausen 2003, Comput Stat Data Anal 43:121.",
    MICE: "van Buuren and Groothuis-Oudshoorn 2011, J Stat Softw 45(3).",
    HAZARD: "White and Royston 2009, Stat Med 28:1982.",
    FOREST: "Breiman 2001, Mach Learn 45:5.",
    COMBAT: "Johnson, Li and Rabinovic 2007, Biostatistics 8:118.",
    NET: "Friedman, Hastie and Tibshirani 2010, J Stat Softw 33(1).",
    SHUFFLED: "Welch et al. 2019, Radiother Oncol 130:2.",
}
WITHOUT_DOI = {
    "bh": "Benjamini and Hochberg 1995, J R Stat Soc B 57:289.",
    "aj": "Aalen and Johansen 1978, Scand J Stat 5:141.",
}


def known(key: str) -> Reference:
    """A work by its DOI, or by a word for one without; a DOI of another package's analysis stands alone."""
    if key in WITHOUT_DOI:
        return Reference(key, WITHOUT_DOI[key], None)
    return Reference(key, WORKS.get(key, ""), key)


def dois_in(source: str) -> list[str]:
    """The DOIs that a text names (`Analysis.source`), each once."""
    return list(dict.fromkeys(found.group().rstrip(".") for found in DOI.finditer(source)))
