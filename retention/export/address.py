"""Where a database target is: its address with secrets from the environment, and the name of its table."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict

from features.errors import ConfigError

SCHEMES = ("postgresql", "postgres")
LONGEST_NAME_BYTES = 63
"""PostgreSQL cuts longer names off without a word; two of them could then mean one table."""

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME_PART = re.compile(r'"(?:[^"]|"")+"|[^."][^.]*')
_SECRETS = ("password", "sslpassword")


@dataclass(frozen=True, kw_only=True)
class Address:
    """Connection parameters, secrets included, and ``shown``: the same without any secret, for messages."""

    parameters: Mapping[str, str] = field(repr=False)
    shown: str

    def without_secrets(self, text: str) -> str:
        """Return ``text`` with every secret of this address replaced by ``***``."""
        for name in _SECRETS:
            if secret := self.parameters.get(name):
                text = text.replace(secret, "***")
        return text


def address_of(uri: str, *, environment: Mapping[str, str] = os.environ) -> Address:
    """Return the address ``uri`` names, with each ``${NAME}`` taken from the environment.

    Parameters
    ----------
    uri : str
        ``postgresql://user:${PASSWORD}@host:port/database?sslmode=require``, or one reference ``${DATABASE_URL}``
        to all of it. A reference may hold any character: it needs no percent encoding.
    environment : mapping
        Where the references are looked up.

    Raises
    ------
    ConfigError
        If the scheme is unknown, the uri cannot be read, a variable is not set, or a password stands in the uri.
    """
    whole = _REFERENCE.fullmatch(uri)
    if whole:
        return Address(parameters=_parameters(_value(whole[1], environment), uri), shown=uri)
    raw = _parameters(uri, "the uri of the SQL target")
    for name in _SECRETS:
        if name in raw and not _REFERENCE.fullmatch(raw[name]):
            raise ConfigError(
                f"the {name} of {_shown(raw)} stands in the config; put it into an environment variable"
                f" and write ${{NAME}} in its place"
            )
    resolved = {name: _REFERENCE.sub(lambda hit: _value(hit[1], environment), text) for name, text in raw.items()}
    return Address(parameters=resolved, shown=_shown(raw))


def table_path(name: str) -> tuple[str, ...]:
    """Return the parts of a table's name, ``table`` or ``schema.table``; upper and lower case count.

    A part with a dot in it stands in double quotes: ``crm."Scores v1.0"``.

    Raises
    ------
    ConfigError
        If a part is empty, longer than 63 bytes or holds a NUL character, or there are more than two parts.
    """
    parts = _NAME_PART.findall(name)
    if not 1 <= len(parts) <= 2 or ".".join(parts) != name or "\0" in name:
        raise ConfigError(f"table {name!r} is no table name; expected table or schema.table")
    path = tuple(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts)
    for part in path:
        if len(part.encode(errors="replace")) > LONGEST_NAME_BYTES:
            raise ConfigError(f"table {name!r} is longer than {LONGEST_NAME_BYTES} bytes; give it a shorter name")
    return path


def _parameters(uri: str, what: str) -> dict[str, str]:
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.split("+")[0] not in SCHEMES:
        raise ConfigError(f"{what} has no scheme that can be exported to; expected postgresql://host:port/database")
    try:
        return {name: str(value) for name, value in conninfo_to_dict(f"postgresql://{rest}").items()}
    except psycopg.ProgrammingError:  # its text repeats parts of the uri, perhaps the password
        raise ConfigError(
            f"{what} cannot be read; expected postgresql://user:${{PASSWORD}}@host:port/database"
        ) from None


def _value(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise ConfigError(f"environment variable {name}, which the uri of the SQL target names, is not set; set it")
    return environment[name]


def _shown(raw: Mapping[str, str]) -> str:
    user = f"{raw['user']}@" if "user" in raw else ""
    port = f":{raw['port']}" if "port" in raw else ""
    return f"postgresql://{user}{raw.get('host', '')}{port}/{raw.get('dbname', '')}"
