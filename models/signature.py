"""A keyed signature over what a version is: who can write to the registry cannot put another in its place."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from features.errors import ConfigError, ModelError

KEY, KEY_FILE = "TREUE_MODEL_KEY", "TREUE_MODEL_KEY_FILE"
"""Environment variables with the key itself, or with the path of a file that holds it."""

SIGNATURE = "signature"
"""Tag of a version that holds its signature."""

_LEAST_CHARACTERS = 32


def key_from(environ: Mapping[str, str]) -> bytes | None:
    """Return the key models are signed with; None where none is configured.

    Raises
    ------
    ConfigError
        If the file cannot be read, both variables are set, or the key is too short to guard anything.
    """
    if environ.get(KEY) and environ.get(KEY_FILE):
        raise ConfigError(f"both {KEY} and {KEY_FILE} are set; keep one")
    text = environ.get(KEY) or _read(environ.get(KEY_FILE))
    if text is None:
        return None
    if len(text.strip()) < _LEAST_CHARACTERS:
        raise ConfigError(
            f"the key of {KEY} or {KEY_FILE} has {len(text.strip())} characters, at least {_LEAST_CHARACTERS} are"
            " needed; make one with `openssl rand -hex 32`"
        )
    return text.strip().encode()


def signature_of(facts: Mapping[str, str], key: bytes) -> str:
    """Return the HMAC-SHA256 over ``facts`` (digests, name, cutoff, recipe), whatever their order.

    Examples
    --------
    >>> one = signature_of({"digest": "ab", "name": "m"}, b"k" * 32)
    >>> one == signature_of({"name": "m", "digest": "ab"}, b"k" * 32), len(one)
    (True, 64)
    """
    content = "".join(f"{len(key_)}:{key_}{len(value)}:{value}" for key_, value in sorted(facts.items()))
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()


def require_signature(facts: Mapping[str, str], signature: str, key: bytes | None, *, where: str) -> None:
    """Refuse a version whose signature is not that of ``key``; without a key nothing can be told.

    Raises
    ------
    ModelError
        If the signature is missing or another.
    """
    if key is None:
        return
    if not signature:
        raise ModelError(f"{where} is not signed, and {KEY} asks for it; train again or sign it by registering anew")
    if not hmac.compare_digest(signature.encode(), signature_of(facts, key).encode()):
        raise ModelError(f"{where} was signed with another key or changed since; train again")


def _read(path: str | None) -> str | None:
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{KEY_FILE}: {path} cannot be read ({type(error).__name__}); give a text file") from None
