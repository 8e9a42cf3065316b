"""Any exception of Python's as one of our refusals: what a user can act on, and a place for what only we can mend."""

from __future__ import annotations

import errno
from pathlib import Path

from release_gate.files import FULL
from release_gate.findings import CannotJudge, Refused

NOT_WRITABLE = (
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    errno.EFBIG,
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP),
)
"""What the system says of a path that takes no file: no permission, a limit, or something else in the way."""


def refused(error: Exception) -> Refused:
    """The error itself where it is a refusal; else what it means for the user."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, OSError) and error.errno in FULL:
        return CannotJudge.because("disk-full", f"no space left writing {error.filename or 'a file'}")
    if isinstance(error, OSError) and error.errno in NOT_WRITABLE:
        # Of a file that takes another's place the second name is the one a user knows.
        return CannotJudge.because("write-refused", f"{error.filename2 or error.filename}: {error.strerror}")
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" at {Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last else ""
    return CannotJudge.because("internal-error", f"{type(error).__name__}{place}: {error}")
