"""DVC: a stage a unit, commands that copy a line. Its lock file is written here as `dvc repro` would have left it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from benchmarks.common import baseline_tool, run, worked

ENTRY = "dvc.cli:main"


def settled(folder: Path, n_patients: int) -> Path:
    """A folder in which everything is up to date; outputs are not cached, which spares DVC that work."""
    for name in ("raw", "abundance", "ratio"):
        (folder / name).mkdir(parents=True)
    stages: list[tuple[str, str, list[str], str]] = []
    for i in range(n_patients):
        for c in ("tumor", "stroma"):
            raw, out = f"raw/p{i}.{c}.txt", f"abundance/p{i}.{c}.txt"
            (folder / raw).write_text(f"p{i} {c}\n")
            stages.append((f"abundance_p{i}_{c}", f"cp {raw} {out}", [raw], out))
        inputs, out = [f"abundance/p{i}.{c}.txt" for c in ("tumor", "stroma")], f"ratio/p{i}.txt"
        stages.append((f"ratio_p{i}", f"cat {' '.join(inputs)} > {out}", inputs, out))
    stages.append(("cox", "cat ratio/*.txt > cox.txt", [f"ratio/p{i}.txt" for i in range(n_patients)], "cox.txt"))
    for _, command, _, _ in stages:
        run_shell(folder, command)
    definition, lock = ["stages:"], ["schema: '2.0'", "stages:"]
    for name, command, inputs, out in stages:
        definition += [f"  {name}:", f"    cmd: {command}", "    deps:", *(f"    - {i}" for i in inputs)]
        definition += ["    outs:", f"    - {out}:", "        cache: false"]
        lock += [f"  {name}:", f"    cmd: {command}", "    deps:"]
        for path in sorted(inputs):
            lock += _entry(folder, path)
        lock += ["    outs:", *_entry(folder, out)]
    (folder / "dvc.yaml").write_text("\n".join(definition) + "\n")
    (folder / "dvc.lock").write_text("\n".join(lock) + "\n")
    run([baseline_tool("dvc").with_name("dvc"), "init", "--no-scm", "--quiet"], folder)
    run([baseline_tool("dvc").with_name("dvc"), "config", "core.analytics", "false"], folder)
    return folder


def run_shell(folder: Path, command: str) -> None:
    """The stages' commands, in Python for speed: cp A B, or cat A… > B."""
    words = command.split()
    *sources, target = words[1:] if words[0] == "cp" else [w for w in words[1:] if w != ">"]
    paths = [p for s in sources for p in (sorted(folder.glob(s)) if "*" in s else [folder / s])]
    (folder / target).write_bytes(b"".join(p.read_bytes() for p in paths))


def _entry(folder: Path, path: str) -> list[str]:
    content = (folder / path).read_bytes()
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return [f"    - path: {path}", "      hash: md5", f"      md5: {digest}", f"      size: {len(content)}"]


def one_correction(folder: Path, n_patients: int, scratch: Path, times: int) -> float:
    """Seconds of `dvc repro` after one profile changed."""
    settled(folder, n_patients)

    def correct(copy: Path) -> None:
        (copy / "raw" / f"p{n_patients // 2}.tumor.txt").write_text("corrected\n")

    return worked(baseline_tool("dvc"), ENTRY, ["repro", "--quiet"], folder, scratch, correct, times=times)
