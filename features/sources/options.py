"""What the configuration says about a source."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from pydantic import Field, field_validator

from features.section import Section

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A reference to an environment variable."""
_DATE_CODES = re.compile(r"%(?![-]?[dmyYbBHIMSpfzjaAgn]|%)")


class ReadOptions(Section):
    """How a text file, or a text column of any source, is to be read."""

    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Character between fields; without it the one of comma, semicolon, tab and bar that is most"
        " frequent in the header line.",
    )
    decimal: Literal[".", ","] = Field(default=".", description="Decimal sign of numbers written as text.")
    thousands: Literal["", ".", ",", " ", "'"] = Field(
        default="", description="Sign between groups of three digits; empty: none is allowed."
    )
    date_format: str = Field(
        default="",
        description='Form of dates written as text, e.g. "%d.%m.%Y"; ISO dates (2024-12-31) are always understood.',
    )
    encoding: str = Field(default="utf-8", description="Encoding of text files, e.g. utf-8, cp1252, latin-1, utf-16.")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
            b"".decode(value)
        except (LookupError, ValueError) as error:
            raise ValueError("expected an encoding such as utf-8, cp1252, latin-1 or utf-16") from error
        return codecs.lookup(value).name

    @field_validator("date_format")
    @classmethod
    def _known_codes(cls, value: str) -> str:
        if value and (_DATE_CODES.search(value) or not re.search("%-?d", value) or not re.search("%-?[yY]", value)):
            raise ValueError('expected codes for day, month and year such as "%d.%m.%Y"')
        return value


class Source(Section):
    """Where one table comes from and which expression gives each of its columns."""

    uri: str = Field(
        min_length=1,
        description="A file (.csv, .tsv, .txt, also .gz; .parquet), a folder, a glob, or the address of a database"
        " (postgres://, duckdb://, sqlite://, or any Ibis backend). Credentials only as ${NAME} of an environment"
        " variable. Relative paths start at the working directory.",
    )
    table: str | None = Field(
        default=None, min_length=1, description="Databases: the table or view, also schema.table."
    )
    where: str | None = Field(
        default=None, min_length=1, description="SQL condition; rows that do not meet it are not read."
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Column of the contract: SQL expression over the source. Columns left out are taken from the"
        " source's columns of the same name.",
    )
    currency: str | None = Field(
        default=None,
        min_length=1,
        description="SQL expression that gives the currency of each row; any other than the run's is an error.",
    )
    read: ReadOptions = Field(default_factory=ReadOptions, description="How text is read.")

    @field_validator("uri")
    @classmethod
    def _no_password(cls, value: str) -> str:
        if "://" in value and _literal_password(value):
            raise ValueError("expected no password in the text; put it into an environment variable and write ${NAME}")
        return value


def _literal_password(uri: str) -> bool:
    authority = uri.split("://", 1)[1].split("/", 1)[0]
    password = authority.rpartition("@")[0].partition(":")[2]
    named = re.findall(r"(?i)[?&](?:password|passwd|pwd|token|secret|sslpassword)=([^&]*)", uri)
    return any(REFERENCE.sub("", each) for each in (password, *named))
