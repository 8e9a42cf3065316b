"""Where data lies, as people write it: a path or pattern of files, a URL of files, or a table of a database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote, urlsplit

REMOTE = ("https", "http", "s3", "gs", "az")
"""Protocols of URLs that name files."""
_SCHEME = re.compile(r"([a-z][a-z0-9+]*)://")
_HIDDEN = re.compile(r"(?i)([?&;][^=&;]*(?:pass|secret|token|key|sig|credential)[^=&;]*=)[^&;]*")


@dataclass(frozen=True)
class Connection:
    """A table, or the rows of a SELECT, in a database that an Ibis URL names."""

    url: str
    table: str | None = None
    sql: str | None = None

    @property
    def scheme(self) -> str:
        """What the URL begins with, as `postgres`."""
        return self.url.partition("://")[0]

    @property
    def path(self) -> str:
        """What follows, of a database in a file its path."""
        return unquote(self.url.partition("://")[2].partition("?")[0])

    @property
    def shown(self) -> str:
        """The place as one text, without its secrets."""
        return without_secrets(str(self))

    def __str__(self) -> str:
        """The place as one text, as `connection_of` reads it."""
        read = {"table": self.table, "sql": self.sql}
        parts = [f"{name}={quote(value, safe='')}" for name, value in read.items() if value is not None]
        return self.url + ("#" + "&".join(parts) if parts else "")

    def without_secret(self, text: str) -> str:
        """A text, such as a driver's, in which the URL's password does not stand."""
        password = urlsplit(self.url).password
        cleaned = text.replace(self.url, without_secrets(self.url))
        return cleaned.replace(unquote(password), "***").replace(password, "***") if password else cleaned


def connection_of(data: str, table: str | None = None, sql: str | None = None) -> Connection | None:
    """The database that a text names, as `postgres://host/sales#table=orders`; None for a path or a URL of files."""
    if scheme_of(data) in {None, *REMOTE}:
        return None
    url, _, read = data.partition("#")
    named = {name: values[0] for name, values in parse_qs(read).items()}
    return Connection(url, table or named.get("table"), sql or named.get("sql"))


def connection_text(written: object) -> object:
    """A mapping `{connection: URL, table: T}` (or `sql: SELECT …`) as one text; anything else as it is.

    Raises:
        ValueError: it has other keys, or values that are no text.
    """
    if not isinstance(written, dict):
        return written
    if not set(written) <= {"connection", "table", "sql"} or not all(isinstance(one, str) for one in written.values()):
        raise ValueError(
            "data in a database is written {connection: URL, table: T} or {connection: URL, sql: SELECT …}"
        )
    place = connection_of(written.get("connection", ""), written.get("table"), written.get("sql"))
    if place is None or (place.table is None) == (place.sql is None):
        raise ValueError("data in a database has a `connection` (a URL as postgres://host/db), and `table` or `sql`")
    return str(place)


def scheme_of(data: str) -> str | None:
    """The protocol of a URL; None for a path."""
    written = _SCHEME.match(data)
    return written[1] if written else None


def without_secrets(url: str) -> str:
    """A URL as it may be shown: without password, and without the values of a signed query."""
    hidden = re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", url)
    return _HIDDEN.sub(r"\1***", hidden)


def loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
