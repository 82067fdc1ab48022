"""The digest of a model: one SHA-256 that binds the name and the content of each of its files.

The listing has the form ``sha256sum`` prints, so ``sha256sum -c SHA256SUMS`` checks a folder by hand; the digest
of the model is the SHA-256 of that listing. Whoever holds the digest can tell, before a byte is parsed, whether
files are the ones that were registered.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property

from features.errors import ModelError

LISTING = "SHA256SUMS"
"""Name of the listing that lies beside the files of a stored model."""

_ENTRY = re.compile(rb"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._-]{0,99})")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def listing_of(files: Mapping[str, bytes]) -> bytes:
    """Return the listing of ``files``: one line ``sha256  name`` per file, in the order of the names.

    Parameters
    ----------
    files : mapping of file name to content [bytes]
        Plain names: letters, digits, ``.``, ``_`` and ``-``, no folders.

    Raises
    ------
    ModelError
        If there is no file, or a name is not plain.

    Examples
    --------
    >>> listing_of({"model.json": b"{}"}).decode().split()[1]
    'model.json'
    """
    if not files:
        raise ModelError("a model needs at least one file; got none")
    for name in files:
        if not _PLAIN_NAME.fullmatch(name) or name == LISTING:
            raise ModelError(f"model file name {name!r} is not plain; use letters, digits, '.', '_' and '-' only")
    return "".join(f"{_sha256(files[name])}  {name}\n" for name in sorted(files)).encode()


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the digest of ``files``: 64 hexadecimal digits that change with any name or byte.

    Examples
    --------
    >>> digest_of({"a": b"1", "b": b"2"}) == digest_of({"b": b"2", "a": b"1"})
    True
    """
    return _sha256(listing_of(files))


def with_listing(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return ``files`` and their listing, as they are stored together."""
    return {**files, LISTING: listing_of(files)}


def verified(stored: Mapping[str, bytes], *, digest: str, where: str) -> dict[str, bytes]:
    """Return the files of a stored model without their listing, after checking every byte against ``digest``.

    Parameters
    ----------
    stored : mapping of file name to content [bytes]
        Everything found, the listing included. Nothing in it is parsed before the digest agrees.
    digest : str
        Digest from a trusted place (the registry), 64 hexadecimal digits.
    where : str
        Name of the model for the message.

    Raises
    ------
    ModelError
        If the listing is missing or differs from ``digest``, or a file is missing, added or changed.
    """
    listing = stored.get(LISTING)
    if listing is None:
        raise ModelError(f"{where} has no {LISTING}: it was not stored by Treue or was damaged; train again")
    found = _sha256(listing)
    if found != digest:
        raise ModelError(
            f"{where} is not the registered one: expected digest {digest[:12]}, got {found[:12]}; train again"
        )
    files = {name: content for name, content in stored.items() if name != LISTING}
    entries = _entries(listing, where)
    _check_names(files, entries, where)
    _check_contents(files, entries, where)
    return files


def _entries(listing: bytes, where: str) -> dict[str, str]:
    found = [_ENTRY.fullmatch(line) for line in listing.split(b"\n")[:-1]]
    if not all(found):
        raise ModelError(f"{where}: its {LISTING} is not one that Treue writes; train again")
    return {entry[2].decode(): entry[1].decode() for entry in found if entry}


def _check_names(files: Mapping[str, bytes], entries: Mapping[str, str], where: str) -> None:
    missing, added = sorted(entries.keys() - files.keys()), sorted(files.keys() - entries.keys())
    if missing:
        raise ModelError(f"{where} lacks {missing[0]}, which its {LISTING} names; train again")
    if added:
        raise ModelError(f"{where} holds {added[0]!r}, which its {LISTING} does not name; remove it or train again")


def _check_contents(files: Mapping[str, bytes], entries: Mapping[str, str], where: str) -> None:
    for name in sorted(files):
        found = _sha256(files[name])
        if found != entries[name]:
            raise ModelError(
                f"{where}: {name} was changed: expected SHA-256 {entries[name][:12]}, got {found[:12]}; train again"
            )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class InFiles(ABC):
    """What is stored as files: the same thing, the same bytes, one digest."""

    @cached_property
    @abstractmethod
    def _files(self) -> dict[str, bytes]:
        """Content by plain name."""

    def to_files(self) -> dict[str, bytes]:
        """Return the files: one of JSON, and the text of each booster."""
        return dict(self._files)

    @property
    def digest(self) -> str:
        """SHA-256 over all files; its first 12 digits are the version in every output."""
        return digest_of(self._files)

    @property
    def version(self) -> str:
        """The first 12 digits of the digest."""
        return self.digest[:12]
