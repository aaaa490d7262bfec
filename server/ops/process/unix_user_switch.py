"""Switch to the Unix user who owns the data folder, so that a command changes files only as their owner.

The owner is that of the file `secret`, which the server creates at its first start (of `keys`, if the secret was lost); without them the folder has
no owner yet.
"""

# A file of another user would stop the server later: a secret that it cannot read, a lock that it cannot acquire.

import os
import pwd
from pathlib import Path
from typing import Final

MADE_FIRST: Final = "secret"  # server.ops.security.secret_keys makes it
CLOSED: Final = "closed"  # the file in its place once a service was closed
KEYS: Final = "keys"  # the folder beside it, which tells the owner if the secret was lost


class NotOurs(Exception):
    """This user must not change the folder, or it does not exist; the text says what to do."""


def name_of(uid: int) -> str:
    """Return a user's name, or the number if it has none (systemd's DynamicUser has one, a container may not)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def enter(data: Path, *, make: bool = False) -> None:
    """Act as the owner of the data folder from now on. Raises NotOurs.

    As root this process becomes the owner, for good, before it opens a file. `make`: the folder need not exist, because the caller makes it;
    otherwise a missing folder is taken for a mistyped name.
    """
    owner = _owner(data)
    if owner is None:
        if make:
            return
        raise NotOurs(f"{data}: no data folder of Serendip's. Another: --data DIR; a new one: serendip init")
    uid, gid = owner
    mine = os.geteuid()
    if uid == mine:
        return
    if mine:
        raise NotOurs(f"{data}: belongs to {name_of(uid)}, and you are {name_of(mine)}: run this as {name_of(uid)}")
    _become(uid, gid)


def _owner(data: Path) -> tuple[int, int] | None:
    """Return (user, group), or None if there is no folder with keys, or of a closed service. Raises NotOurs if that cannot be determined."""
    for name in (MADE_FIRST, CLOSED, KEYS):
        try:
            found = (data / name).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise NotOurs(f"{data}: {error.strerror}. Run this as the user who runs the server, or as root") from None
        return found.st_uid, found.st_gid
    return None


def _become(uid: int, gid: int) -> None:
    """Become another user, with that user's groups, irrevocably."""
    try:
        os.initgroups(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)
