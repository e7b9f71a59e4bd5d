"""Many questions to the oath's process, each answered by a fork of one that has loaded what all of them need.

python -m tests.support.oath_server FOLDER: answers FOLDER/*.question into FOLDER/*.answer, two at a time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(folder: str) -> None:
    from tshdb.oath import child, watch  # noqa: F401 - loaded before the first fork

    questions = sorted(Path(folder).glob("*.question"))
    running = 0
    for question in questions:
        if running == 2:
            os.wait()
            running -= 1
        if os.fork() == 0:
            try:
                child.main(str(question), str(question.with_suffix(".answer")))
            finally:
                os._exit(0)
        running += 1
    for _ in range(running):
        os.wait()


if __name__ == "__main__":
    main(sys.argv[1])
