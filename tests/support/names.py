"""Names that end a statement, a quotation or a path where a text is put together with them: 50, and the commands
that take names."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support import tiny
from tests.support.forked_program import DOCUMENTED, run_here

BASE = (
    "'", "''", '"', '""', ";", "--", "/*", "*/", "\\", "\\'", "%", "_", "$1", "$name", "?", ":a", "{}", "{0}", "%s",
    "%(a)s", "`a`", "[a]",
    "'; DROP TABLE patients; --", "\"; DROP TABLE patients; --", "') OR 1=1 --", "x' UNION SELECT sql FROM sqlite_master --",
    "patients", "SELECT", "null", "NULL", "true", "1", "1e5", "-1", "a\tb", "a\nb", "a b", " a", "a ", "é", "е",
    "患者", "🙂", "\u202ea", "a\u0301",
    "T CELLS", "../../x", "a" * 1000, "'" * 1000, "ﬁ",
)  # fmt: skip
COHORT = f"{tiny.COHORT}@1"


def commands(name: str) -> list[tuple[str, ...]]:
    """All that take the name of something, and put it into a query."""
    return [
        ("lineage", "tsh_ratios", f"population={name}"), ("lineage", "patients", name), ("lineage", name, "x"),
        ("why", f"tsh_ratios/{name}"),
        ("why", f"{name}/x"), ("history", name), ("history", "--since", name), ("cohort", "show", name), ("cohort",
        "show", f"{name}@1"),
        ("cohort", "members", name), ("cohort", "diff", name, COHORT), ("cohort", "freeze", name), ("model", "show",
        name), ("drift", name),
        ("table", "2", "--cohort", name), ("table", name), ("figure", "km", "--cohort", name), ("figure", name), ("schema", name),
        ("withdraw", name, "--reason", "x", "--preview"), ("sql", "SELECT $a AS x", "-p", f"a={name}"), ("rebuild",
        name), ("diff", name, "2"),
    ]  # fmt: skip


def complaints(study, names: tuple[str, ...]) -> Iterator[str]:
    """What goes wrong with names on the command line; every patient must be there afterwards."""
    for name in names:
        for command in commands(name):
            words = [w if w.startswith("--") or not w.startswith("-") else f"./{w}" for w in command]
            ended = run_here(*words, cwd=study.root)
            if ended.code not in DOCUMENTED or "Traceback" in ended.said:
                yield f"{command!r}: {ended.code}: {(ended.trouble or ended.said)[-800:]}"
    n = len(study.sql("SELECT patient_id FROM patients"))
    if n != 10:
        yield f"{n} patients are left"
