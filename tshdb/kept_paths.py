"""How a study keeps the paths of files: as they are, or ([privacy] paths = "hashed") as tokens that name nobody.

A token is a keyed digest (HMAC-SHA-256) of the path, spelled without vowels and digits so that it looks like no name and no
date, with the file's kind behind it: `path-bcdfghjkmnpqrstvwxzbcdfg.csv`. The same path has the same token, so that a study
knows a file again. A path below the study's folder counts from there: a study may move.

.paths-key    the key, for its owner alone (mode 0600). Backups hold it, since a restored study must give the same tokens, or it
              would take a file that it knows for another. No bundle does: whoever has it can try whether a path that he
              guesses is in the study.
paths.local   where each token leads, sealed by the key (a stream of SHAKE-256, one for each token). It is no part of backups and
              bundles: it is about this machine. Without it a file is known again when it is ingested again, and until then
              `tshdb check` says that it was not looked for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import Any

from tshdb.errors import Busy, IntegrityError

KEY_FILE, PLACES_FILE = ".paths-key", "paths.local"
PRIVATE = (KEY_FILE, PLACES_FILE)
LETTERS = "bcdfghjkmnpqrstvwxz"
LENGTH = 24  # letters: 101 bits
PATH, NAME = "path", "name"
TOKEN = re.compile(rf"(?:{PATH}|{NAME})-[{LETTERS}]{{{LENGTH}}}(?:\.[a-z0-9]+){{0,2}}")
UID = re.compile(r"(?=.{14})[012](?:\.[0-9]+){2,}")  # of DICOM: names a series, nobody; no day such as 1.3.1961
KINDS = frozenset(
    "csv tsv txt xlsx xlsm xls ods json xml toml maf dcm ima nii nrrd nhdr mha mhd les rtstruct zip gz bz2 xz tar parquet".split()
)
PLAIN_WORDS = frozenset(
    "data raw images image imaging dicom mri clinical rna masks mask segmentations segmentation tables table files file home tmp "
    "work users user media mnt volumes downloads desktop documents study series results export tumor tumour stroma".split()
)
SHORTEST = 3  # letters of a name that is looked for in texts
Meant = tuple[str, str]  # PATH or NAME, and the path from the study's folder on, or the name
EDGE = re.compile(r"[^\W_]")  # a letter or a digit: what a name in a text may not touch


class KeptPaths:
    """The paths of one study. root: its folder; hides: whether they are hashed."""

    def __init__(self, root: Path, hides: bool):
        self.root, self.hides = root.resolve(), hides
        self._places: dict[str, str] = {}  # token -> what it stands for, as paths.local has it
        self._read_at: tuple[int, int] | None = None
        self._new: dict[str, str] = {}  # tokens that were given since
        self._words: dict[int, dict[str, Meant]] = {}  # length -> what is looked for in texts -> what it is
        self._folders: list[Path] = []  # whose names are still to be learned
        self._learned: set[str] = set()
        self.spared: set[str] = set()  # identifiers, which stay in texts though a folder may be called so

    # ------------------------------------------------------------------------------------------- what is stored

    def place(self, path: str | os.PathLike) -> str:
        """What is stored of where a file or a folder lies: its absolute path, or the token of it."""
        text = os.fspath(path)
        if not self.hides:
            return str(Path(text).resolve())
        if is_token(text):
            return text
        self.learn(text)
        return self._token((PATH, self._from_root(text)))

    def below(self, path: str) -> str:
        """The same of a path that counts from the study's folder: as it is, or its token."""
        return self.place(self.root / path) if self.hides and not is_token(path) else path

    def name(self, name: str) -> str:
        """What is stored of a name that a file gave to its source. That of a series of images is a number, and stays."""
        if not self.hides or not name or is_token(name) or UID.fullmatch(name):
            return name
        self._learn_parts(name.split("/"))
        return self._token((NAME, name))

    def key(self, name: str) -> str:
        """What stands in keys of rows for the path of a mask in what was delivered."""
        return self.name(name).partition(".")[0] if self.hides else name

    def said(self, path: Path) -> str:
        """What recorded commands call a file or a folder: its name, or its token."""
        return self.place(path) if self.hides else path.name

    def text(self, text: str, are_data: bool = False) -> str:
        """A text in which every path and name that was met has its token in its place.

        are_data: it is what a file says, in which a word may be what a folder is called: paths and names with a kind alone.
        """
        if not self.hides or not text:
            return text
        self._learn_folders()
        lengths = sorted((n for n in self._words if n <= len(text)), reverse=True)
        done, at = [], 0
        while at < len(text):
            found = self._found(text, at, lengths, are_data)
            done.append(text[at] if found is None else self._token(found[1]))
            at += 1 if found is None else found[0]
        return "".join(done)

    def values(self, value: Any) -> Any:
        """The same of all texts in data, which may be a value of JSON."""
        if not self.hides:
            return value
        if isinstance(value, str):
            return self.text(value, are_data=True) if type(value) is str else value
        if isinstance(value, dict):
            return {self.values(k): self.values(v) for k, v in value.items()}
        return [self.values(each) for each in value] if isinstance(value, list) else value

    # --------------------------------------------------------------------------------------------- what is read

    def at(self, stored: str) -> Path:
        """The file of a stored path. Of a token whose place is not known: a path at which nothing lies (see `knows`)."""
        clear = self._clear(stored) if is_token(stored) else stored
        path = self.root / (stored if clear is None else clear)
        if self.hides and clear is not None:
            self._add(str(path), (PATH, self._from_root(str(path))))
            self._add_name(path.name)
        return path

    def knows(self, stored: str) -> bool:
        """Whether it is known where a stored path leads."""
        return not is_token(stored) or self._clear(stored) is not None

    # ------------------------------------------------------------------------------------------------- learning

    def learn(self, path: str | os.PathLike) -> None:
        """Look for a path, and for the names of which it is made, in the texts that come."""
        text = os.fspath(path)
        if not self.hides or text in self._learned:
            return
        self._learned.add(text)
        for spelled in dict.fromkeys((text, os.path.abspath(text), os.path.realpath(text))):
            parts = [part for part in spelled.split("/") if part]
            if spelled.startswith("/"):
                for n in range(2, len(parts) + 1):
                    folder = "/" + "/".join(parts[:n])
                    self._add(folder, (PATH, self._from_root(folder)))
            self._learn_parts(parts)

    def learn_folder(self, folder: Path) -> None:
        """The same of all that lies below a folder; it is looked into when a text comes."""
        if self.hides and folder.is_dir():
            self.learn(folder)
            self._folders.append(folder)

    def learn_places(self) -> None:
        """The same of all that paths.local knows."""
        self._read()
        for clear in self._places.values():
            if "/" in clear:
                self._add(str(self.root / clear), (PATH, clear))
            self._learn_parts([part for part in clear.split("/") if part])

    def _learn_folders(self) -> None:
        for folder in self._folders:
            for at, folders, files in os.walk(folder):
                below = [] if (rel := os.path.relpath(at, folder)) == "." else rel.split("/")
                for name in (*folders, *files):
                    self._learn_parts([*below, name])
        self._folders.clear()

    def _learn_parts(self, parts: list[str]) -> None:
        """The names of a path, and what it is from each of its folders on."""
        for n, part in enumerate(parts):
            self._add_name(part)
            if n + 1 < len(parts):
                below = "/".join(parts[n:])
                self._add(below, (PATH, below))

    def _add(self, text: str, meant: Meant) -> None:
        self._words.setdefault(len(text), {}).setdefault(text, meant)

    def _add_name(self, name: str) -> None:
        """A name alone, unless it is an everyday word or a number."""
        if len(name) >= SHORTEST and name.lower() not in PLAIN_WORDS and not UID.fullmatch(name) and not is_token(name):
            self._add(name, (NAME, name))

    def _found(self, text: str, at: int, lengths: Iterable[int], are_data: bool) -> tuple[int, Meant] | None:
        """(letters, what it is) of the longest that is looked for and begins here; not within a longer word."""
        if at and EDGE.match(text[at]) and EDGE.match(text[at - 1]):
            return None
        for n in lengths:
            word = text[at : at + n]
            meant = self._words[n].get(word)
            if meant is None or word in self.spared or (are_data and not ("/" in word or kind_of(word))):
                continue
            if not (EDGE.match(text[at + n : at + n + 1]) and EDGE.match(word[-1])):
                return n, meant
        return None

    # --------------------------------------------------------------------------------------------------- tokens

    def _token(self, meant: Meant) -> str:
        token = _token_of(self._key, meant)
        if token not in self._places:
            self._new[token] = meant[1]
        return token

    def _from_root(self, path: str) -> str:
        whole, home = os.path.realpath(path), f"{self.root}/"
        return whole.removeprefix(home)

    @cached_property
    def _key(self) -> bytes:
        """The study's key; one that is not written yet (`keep`) where it has none."""
        return _stored_key(self.root) or secrets.token_bytes(32)

    def _clear(self, token: str) -> str | None:
        if token not in self._new and token not in self._places:
            self._read()
        return self._new.get(token, self._places.get(token))

    def _read(self) -> None:
        """Read paths.local again if it was written since."""
        path = self.root / PLACES_FILE
        try:
            stat = path.lstat()
        except FileNotFoundError:
            self._places, self._read_at = {}, None
            return
        seen = (stat.st_size, stat.st_mtime_ns)
        if self._read_at == seen or not S_ISREG(stat.st_mode) or (key := _stored_key(self.root)) is None:
            return
        self._places, self._read_at = {}, seen
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            token, _, sealed = line.partition("\t")
            if is_token(token) and (clear := _opened(key, token, sealed)) is not None:
                self._places[token] = clear

    # ------------------------------------------------------------------------------------- the key and the places

    def keep(self) -> None:
        """Write the key, if there is none, and where the tokens lead that were given since. Inside of the study's lock."""
        if not self.hides:
            return
        key = _stored_key(self.root) or _write_key(self.root, self._key)
        if key != self._key:
            raise Busy(
                "another command has just made the key of the study's paths", where=str(self.root / KEY_FILE),
                repair="Run the same command again",
            )  # fmt: skip
        self._read()
        added = {token: clear for token, clear in self._new.items() if token not in self._places}
        if added:
            self._write(added, is_more=True)
        self._places |= added
        self._new = {}

    def forget(self, is_wanted: Callable[[str, str], bool]) -> int:
        """Take out the places of all tokens but the wanted ones. Gives how many. Inside of the study's lock.

        is_wanted: (token, what it stands for: a path from the study's folder on, or a name) -> whether it stays.
        """
        self._read()
        left = {token: clear for token, clear in self._places.items() if is_wanted(token, clear)}
        n_gone = len(self._places) - len(left)
        if n_gone:
            self._write(left, is_more=False)
            self._places = left
        self._new, self._words, self._learned = {}, {}, set()
        return n_gone

    def _write(self, places: Mapping[str, str], is_more: bool) -> None:
        """Write places behind those of the file, or in their stead; they are on the disk then."""
        path = self.root / PLACES_FILE
        target = path if is_more else path.with_name(f".{PLACES_FILE}.writing")
        is_cut = is_more and path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n")  # a command was killed
        lines = [f"{token}\t{_sealed(self._key, token, clear)}\n" for token, clear in sorted(places.items())]
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_APPEND if is_more else os.O_TRUNC)
        with os.fdopen(os.open(target, flags, 0o600), "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write("\n" * is_cut + "".join(lines))
            file.flush()
            os.fsync(file.fileno())
        if not is_more:
            os.replace(target, path)
        stat = path.stat()
        self._read_at = (stat.st_size, stat.st_mtime_ns)


def is_token(text: str) -> bool:
    """Whether a text is the token of a path or a name."""
    return TOKEN.fullmatch(text) is not None


def kind_of(name: str) -> str:
    """The suffixes of a file's name that say what kind of file it is, with their dots; others might say a name."""
    found: list[str] = []
    for part in reversed(name.rpartition("/")[2].split(".")[1:]):
        if part.lower() not in KINDS or len(found) == 2:
            break
        found.insert(0, f".{part.lower()}")
    return "".join(found)


def _stored_key(root: Path) -> bytes | None:
    path = root / KEY_FILE
    if not path.is_file():
        return None
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise IntegrityError(
            "the key of the study's paths is not 32 bytes", where=str(path), repair="Restore it from a backup"
        )
    return key


def _write_key(root: Path, key: bytes) -> bytes:
    """Write the key. Gives it, or the one that another command has written meanwhile."""
    written = root / f".{KEY_FILE}.{os.getpid()}.writing"
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key.hex())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(written, root / KEY_FILE)
    except FileExistsError:
        pass
    finally:
        os.unlink(written)
    return _stored_key(root) or key


def _token_of(key: bytes, meant: Meant) -> str:
    kind, clear = meant
    data = f"{kind}\0{clear}".encode("utf-8", "surrogateescape")
    number, letters = int.from_bytes(hmac.digest(key, data, "sha256"), "big"), []
    for _ in range(LENGTH):
        number, rest = divmod(number, len(LETTERS))
        letters.append(LETTERS[rest])
    return f"{kind}-{''.join(letters)}{kind_of(clear)}"


def _stream(key: bytes, token: str, length: int) -> bytes:
    return hashlib.shake_256(key + b"\0place\0" + token.encode()).digest(length)


def _sealed(key: bytes, token: str, clear: str) -> str:
    data = clear.encode("utf-8", "surrogateescape")
    return base64.b64encode(bytes(a ^ b for a, b in zip(data, _stream(key, token, len(data)), strict=True))).decode()


def _opened(key: bytes, token: str, sealed: str) -> str | None:
    """What a token stands for; None for a line that was cut, or sealed by another key: it has another token."""
    try:
        data = base64.b64decode(sealed, validate=True)
    except ValueError:
        return None
    opened = bytes(a ^ b for a, b in zip(data, _stream(key, token, len(data)), strict=True))
    clear = opened.decode("utf-8", "surrogateescape")
    return clear if _token_of(key, (token.partition("-")[0], clear)) == token else None
