"""Whose files these are. Rule: what works on a data folder does it as the folder's owner, or not at all.

A file of somebody else's in it stops the server later: a secret that it cannot read, a lock that it cannot take.
The owner is whoever owns `secret`, which the server made when it first ran; a folder without one belongs to nobody yet.
"""

import os
import pwd
from pathlib import Path
from typing import Final

MADE_FIRST: Final = "secret"  # server.ops.security.secret_keys makes it


class NotOurs(Exception):
    """This user must not touch the folder, or there is none; the text says what to do."""


def name_of(uid: int) -> str:
    """A user's name, or the number where there is none (systemd's DynamicUser has one, a container may not)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def enter(data: Path, *, make: bool = False) -> None:
    """Act as the owner of the data folder from here on. Raises NotOurs.

    As root this process becomes the owner, for good, before it touches a file. `make`: a folder that is not there yet may
    be made by what follows, by whoever runs this; otherwise it is a mistyped name.
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
    """(user, group), None where there is no folder with a secret. Raises NotOurs where that cannot be seen."""
    try:
        found = (data / MADE_FIRST).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise NotOurs(f"{data}: {error.strerror}. Run this as the user who runs the server, or as root") from None
    return found.st_uid, found.st_gid


def _become(uid: int, gid: int) -> None:
    """Be another user, with that user's groups, and no way back."""
    try:
        os.initgroups(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)
