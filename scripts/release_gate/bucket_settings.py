"""What the environment sets for buckets, as each cloud's own tools read it; for registries and for data alike."""

from __future__ import annotations

from collections.abc import Mapping

SETTINGS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "s3": {
        "aws_access_key_id": ("AWS_ACCESS_KEY_ID",),
        "aws_secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
        "aws_session_token": ("AWS_SESSION_TOKEN",),
        "aws_region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        "aws_endpoint_url": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        "aws_web_identity_token_file": ("AWS_WEB_IDENTITY_TOKEN_FILE",),
        "aws_role_arn": ("AWS_ROLE_ARN",),
        "aws_role_session_name": ("AWS_ROLE_SESSION_NAME",),
        "aws_container_credentials_relative_uri": ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
        "aws_container_credentials_full_uri": ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    },
    "gs": {
        "google_application_credentials": ("GOOGLE_APPLICATION_CREDENTIALS",),
        "google_service_account_key": ("GOOGLE_SERVICE_ACCOUNT_KEY",),
    },
    "az": {
        "azure_storage_account_name": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"),
        "azure_storage_account_key": ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY"),
        "azure_storage_sas_key": ("AZURE_STORAGE_SAS_TOKEN",),
        "azure_storage_client_id": ("AZURE_CLIENT_ID",),
        "azure_storage_client_secret": ("AZURE_CLIENT_SECRET",),
        "azure_storage_tenant_id": ("AZURE_TENANT_ID",),
        "azure_federated_token_file": ("AZURE_FEDERATED_TOKEN_FILE",),
        "azure_storage_endpoint": ("AZURE_STORAGE_ENDPOINT",),
    },
}
"""Which variables of the environment, as each cloud's own tools read them, give which setting."""


def settings(scheme: str, environment: Mapping[str, str]) -> dict[str, str]:
    """What the environment sets for a kind of bucket."""
    given = {
        setting: next((environment[name] for name in names if environment.get(name)), None)
        for setting, names in SETTINGS[scheme].items()
    }
    found: dict[str, str] = {setting: value for setting, value in given.items() if value is not None}
    return {"aws_region": "us-east-1", **found} if scheme == "s3" else found
