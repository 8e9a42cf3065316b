# One image for every Docker action; its entrypoint is the command line.
#
# BASE is pinned by the digest of the multi-platform index that Docker's official-images team recorded for
# python:3.12-slim (docker-library/repo-info, repos/python/remote/3.12-slim.md, 2026-08-05); Dependabot moves it.
# Where nothing can be pulled, give any Debian with Python >= 3.11: --build-arg BASE=local/base:1
# (python3 -m tests.e2e.testbed makes that one). No BuildKit syntax: the legacy builder builds this too.
ARG BASE=python:3.12-slim@sha256:229a2c5bfa27522db7815ea81f9bed70af17ccb9de9fc7ad142b1877b5830d36

# Dependencies alone: this stage is reused until the lock file changes.
FROM ${BASE} AS dependencies
ENV UV_PROJECT_ENVIRONMENT=/opt/release-gate UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CACHE=1
COPY scripts/image/prepare /prepare
COPY pyproject.toml uv.lock /project/
RUN /prepare dependencies

# Our own code, as a wheel unpacked beside them: changing it rebuilds this small layer only.
FROM dependencies AS code
COPY LICENSE README.md /project/
COPY scripts/release_gate /project/scripts/release_gate
RUN /prepare code

FROM ${BASE}
RUN command -v git >/dev/null \
 || (apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*)
# The workspace belongs to the runner's user and we are root. This container exists to read that one
# workspace, so every folder is safe; HOME may be a mount that cannot be written, hence --system.
RUN git config --system --add safe.directory '*'
COPY --from=dependencies /opt/release-gate /opt/release-gate
# Our code joins the environment's import path by a line in it, not by a variable that children would inherit.
RUN echo /opt/release-gate-code >"$(/opt/release-gate/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/release-gate.pth"
COPY --from=code /opt/release-gate-code /opt/release-gate-code
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 LANG=C.UTF-8 MALLOC_ARENA_MAX=2
# -P: the folder the caller's repository is mounted at never joins the import path.
ENTRYPOINT ["/opt/release-gate/bin/python", "-P", "/opt/release-gate-code/bin/release-gate"]
