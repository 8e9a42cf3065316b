"""Docker and the images of the test bed, none of them pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.e2e.testbed import tools
from tests.e2e.testbed.part import PROJECT, UnavailableError, apt_install, cache_folder, held, run, run_own

BASE = "local/base:1"
RUNNER = "local/runner:1"
RELEASE_GATE = "local/release-gate:1"

_PACKAGES = "ca-certificates,python3,python3-venv,python3-pip,git,curl,bash"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_LEGACY_BUILDER = {"DOCKER_BUILDKIT": "0"}


def daemon() -> None:
    """See that a Docker daemon answers; as root on a Debian machine install and start one."""
    if _answers():
        return
    with held("dockerd"):
        if _answers():
            return
        if not shutil.which("dockerd"):
            apt_install(["docker.io", "iptables"], part="Docker")
        if os.geteuid() != 0:
            raise UnavailableError("Docker", "no daemon answers and only root may start one.", "start dockerd.")
        log = cache_folder() / "dockerd.log"
        print(f"test bed: starting dockerd, which stays running; its log is {log}", flush=True)
        with log.open("ab") as output:
            subprocess.Popen(
                ["dockerd"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while not _answers():
            if time.monotonic() > deadline:
                tail = "\n    ".join(log.read_text(errors="replace").splitlines()[-5:])
                raise UnavailableError("Docker", f"dockerd did not answer in 60 s:\n    {tail}\n", "read its log.")
            time.sleep(0.5)


def base() -> str:
    """Return a Debian with Python, pip and git, made by debootstrap once per machine."""
    daemon()
    with held("base"):
        if _exists(BASE):
            return BASE
        if not shutil.which("debootstrap"):
            apt_install(["debootstrap", "debian-archive-keyring"], part="base image")
        if os.geteuid() != 0:
            raise UnavailableError("base image", "debootstrap needs root.", "run this once as root.")
        with tempfile.TemporaryDirectory(dir=cache_folder()) as folder:
            root = Path(folder) / "rootfs"
            run(
                ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", root],
                part="base image",
                remedy="give this machine access to a Debian mirror.",
            )
            _import(root)
    return BASE


def _import(root: Path) -> None:
    """Make an image of a root folder, with this machine's certificates, so that pip works behind a proxy."""
    if Path(_CERTIFICATES).exists():
        shutil.copy(_CERTIFICATES, root / _CERTIFICATES[1:])
    names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
    environment = " ".join(f"{name}={_CERTIFICATES}" for name in names)
    archive = root.with_suffix(".tar")
    leave_out = ["--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*", "--exclude=./proc/*"]
    run(["tar", "-C", root, *leave_out, "-cf", archive, "."], part="base image", remedy="free some disk.")
    run(
        ["docker", "import", "--change", f"ENV {environment}", "--change", 'CMD ["bash"]', archive, BASE],
        part="base image",
        remedy="read the daemon's log.",
    )


def runner() -> str:
    """Return what act runs jobs in: the base with Node 24 for JavaScript actions."""
    base()
    node = tools.node()
    with held("runner"), tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copy(node, context / "node")
        (context / "Dockerfile").write_text(f"FROM {BASE}\nCOPY node /usr/local/bin/node\n")
        _build(RUNNER, context, [])
    return RUNNER


def release_gate() -> str:
    """Return the project's own image, from its own Dockerfile, on the base made here."""
    base()
    with held("release-gate"):
        _build(RELEASE_GATE, PROJECT, ["--build-arg", f"BASE={BASE}"])
    return RELEASE_GATE


def sizes(image: str = RELEASE_GATE) -> list[str]:
    """Say an image's size, what its base takes of it, and its largest packages, in megabytes."""
    whole, beneath = (int(_inspect(name, "{{.Size}}")) / 1e6 for name in (image, BASE))
    listing = run(
        ["docker", "run", "--rm", "--entrypoint", "sh", image, "-c",
         "du -sm /opt/release-gate/lib/python3*/site-packages/* | sort -rn | head -8"],
        part="image size", remedy="build the image first.",
    )  # fmt: skip
    largest = [f"{line.split()[0]:>6} MB  {Path(line.split()[1]).name}" for line in listing.splitlines()]
    return [f"{whole:6.0f} MB  {image}, of it {beneath:.0f} MB its base and {whole - beneath:.0f} MB ours", *largest]


def _build(tag: str, context: Path, options: list[str]) -> None:
    run_own(["docker", "build", "--quiet", "--tag", tag, *options, context], env=_LEGACY_BUILDER)


def _answers() -> bool:
    if not shutil.which("docker"):
        return False
    asked = subprocess.run(["docker", "info"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return asked.returncode == 0


def _exists(image: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0


def _inspect(image: str, template: str) -> str:
    return run(
        ["docker", "image", "inspect", "--format", template, image], part=image, remedy="build the image first."
    ).strip()
