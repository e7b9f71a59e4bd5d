"""What a user can mend: one line that says where, what was found, what was expected, and the repair.

Anything that is not a TshdbError is a bug of ours and keeps its traceback (exit code 1).
"""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    BUG = 1
    USAGE = 2
    PARTIAL = 3  # done, but some units failed or rows were withheld; the rest is saved
    BUSY = 4
    INTEGRITY = 5
    RESOURCE = 6
    INVALID_INPUT = 7
    NOT_FOUND = 8
    INTERRUPTED = 130
    TERMINATED = 143


class TshdbError(Exception):
    """An error that the user can mend.

    where: the file and line, table or command.
    message: what was found and what was expected.
    repair: what to do.
    """

    exit_code = Exit.INVALID_INPUT

    def __init__(self, message: str, *, where: str = "", repair: str = ""):
        super().__init__(message)
        self.message, self.where, self.repair = message, where, repair

    def __str__(self) -> str:
        line = f"{self.where}: {self.message}" if self.where else self.message
        return f"{line}. {self.repair}" if self.repair else line

    def __reduce__(self):
        return _rebuild_error, (type(self), self.message, self.where, self.repair)


def _rebuild_error(kind, message, where, repair):
    return kind(message, where=where, repair=repair)


class InvalidInput(TshdbError):
    """A file, a value or a setting is wrong."""


class UsageError(TshdbError):
    """The command was called with words that do not go together."""

    exit_code = Exit.USAGE


class NotFound(TshdbError):
    """A study, a cohort, a unit, a table or a file that was named does not exist."""

    exit_code = Exit.NOT_FOUND


class Busy(TshdbError):
    """Another command holds the study."""

    exit_code = Exit.BUSY


class IntegrityError(TshdbError):
    """Stored bytes are not what was stored."""

    exit_code = Exit.INTEGRITY


class Untrustworthy(TshdbError):
    """The program computes something else than another program, which must give the same: whatever it would compute is in doubt.

    It stops a rebuild, and is no failure of one unit.
    """

    exit_code = Exit.INTEGRITY


class ResourceError(TshdbError):
    """Disk, memory or another resource is exhausted."""

    exit_code = Exit.RESOURCE
