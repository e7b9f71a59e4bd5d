"""How people read the names of columns and measures, where a table or a figure is made for them."""

from __future__ import annotations

LABELS = {
    "age_years": "age (years)",
    "average_neighbors": "average number of neighbours",
    "er_status": "ER",
    "her2_status": "HER2",
    "m_stage": "M stage",
    "menopausal_status": "menopause",
    "n_components": "number of components",
    "n_edges": "number of edges",
    "n_nodes": "number of nodes",
    "n_stage": "N stage",
    "pr_status": "PR",
    "t_stage": "T stage",
    "tumor_size_mm": "tumour size (mm)",
}


def in_words(name: str) -> str:
    """`er_status` is "ER", `clustering_coefficient` is "clustering coefficient"."""
    return LABELS.get(name, name.replace("_", " "))
