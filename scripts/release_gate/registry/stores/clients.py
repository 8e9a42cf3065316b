"""Clients of buckets, with settings as each cloud's own tools read them from the environment, and limits of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from release_gate.bucket_settings import settings
from release_gate.findings import BadInput

if TYPE_CHECKING:
    from obstore.store import ObjectStore

Use = Literal["read", "write", "bulk"]
UNHURRIED = 10.0
"""Seconds of patience with which a request that was not answered is sent twice again, else once."""

REMEDIES = {
    "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE; profiles "
    "are not read) for an identity that may s3:ListBucket, s3:GetObject and s3:PutObject there.",
    "gs": "Set GOOGLE_APPLICATION_CREDENTIALS for an identity with storage.objects.list, .get and .create there.",
    "az": "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_CLIENT_ID, AZURE_TENANT_ID and "
    "AZURE_FEDERATED_TOKEN_FILE, for an identity that may list, read and add blobs there.",
    "file": "Give yourself the right to write there.",
}


def client(url: str, environment: Mapping[str, str], use: Use, patience: float) -> ObjectStore:
    """A client of a bucket; small requests get `patience` seconds, large files as long as bytes keep coming.

    One for writing never asks again by itself: whether an unanswered put took effect is for its caller to find out.
    """
    from obstore.store import LocalStore, from_url  # noqa: PLC0415 - heavy

    scheme = url.partition(":")[0]
    if scheme == "file":
        return LocalStore(Path(urlsplit(url).path), mkdir=True)
    config: Any = settings(scheme, environment)
    options: Any = {"connect_timeout": _milliseconds(min(10.0, patience)), "timeout": _milliseconds(patience)}
    if use == "bulk":
        options |= {"timeout": "6h", "read_timeout": "60s"}
    endpoint = config.get("aws_endpoint_url") or config.get("azure_storage_endpoint") or ""
    if endpoint.startswith("http:"):
        options["allow_http"] = _loopback(endpoint)
    tries = 2 if patience >= UNHURRIED else 1
    again: Any = {"max_retries": 0 if use == "write" else tries, "retry_timeout": timedelta(seconds=60)}
    return from_url(url, config=config, client_options=options, retry_config=again)


def address(url: str, environment: Mapping[str, str]) -> str:
    """A bucket, told apart from one of the same name at another endpoint."""
    found = settings(url.partition(":")[0], environment) if not url.startswith("file:") else {}
    endpoint = found.get("aws_endpoint_url") or found.get("azure_storage_endpoint")
    return f"{url} at {endpoint}" if endpoint else url


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"


def _loopback(endpoint: str) -> bool:
    """Whether an address is this machine's own: only there may a request go without encryption.

    Raises:
        BadInput: `registry-refused` where it is not.
    """
    if urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1"):
        return True
    message = f"{endpoint} is not encrypted, and packages and credentials would pass over it"
    raise BadInput.because("registry-refused", message, remedy="Give the bucket's endpoint an https address.")
