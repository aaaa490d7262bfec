"""Switch to the Unix user who owns the data folder, so that a command changes files only as their owner, and a server is not root.

The owner is that of the file `secret`, which the server creates at its first start (of `keys`, if the secret was lost); without them the folder has
no owner yet, and the setting `server.user` names the one that it gets.
"""

# A file of another user would stop the server later: a secret that it cannot read, a lock that it cannot acquire.

import os
import pwd
import sys
from pathlib import Path
from typing import Final

from server.ops.process.listening_sockets import StartError
from server.ops.process.process_setup import forbid_privileges

MADE_FIRST: Final = "secret"  # server.ops.security.secret_keys makes it
CLOSED: Final = "closed"  # the file in its place once a service was closed
KEYS: Final = "keys"  # the folder beside it, which tells the owner if the secret was lost


class NotOurs(Exception):
    """This user must not change the folder, or it does not exist; the text says what to do."""


def is_root() -> bool:
    """Whether this process is root."""
    return os.geteuid() == 0


def name_of(uid: int) -> str:
    """Return a user's name, or the number if it has none (systemd's DynamicUser has one, a container may not)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def enter(data: Path, *, make: bool = False, user: str = "") -> None:
    """Act as the owner of the data folder from now on. Raises NotOurs.

    As root this process becomes the owner, for good, before it opens a file. `make`: the folder need not exist, because the caller makes it;
    otherwise a missing folder is taken for a mistyped name. `user`: the owner must be this user; root makes a missing folder for it.
    """
    owner = _named_owner(data, user) if user else _owner(data)
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
    if user:
        try:
            forbid_privileges()
        except StartError as error:
            raise NotOurs(str(error)) from None


def misplaced(data: Path, user: str) -> tuple[str, str] | None:
    """Return why a server of `user` (`server.user`) cannot use a data folder, and the remedy; None if it can, or may make it. Raises NotOurs."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return f"server.user is {user}, and this machine has no such user", f"useradd --system {user}"
    if entry.pw_uid == 0:
        return f"server.user is {user}, who is root", "name a user without privileges, or leave it out"
    found = _owner(data) or _folder_owner(data)
    if found is not None and found[0] != entry.pw_uid:
        return f"{data}: belongs to {name_of(found[0])}, and server.user is {user}", f"chown -R {user}: {data}"
    return None


def require_readable(user: str) -> None:
    """Raise NotOurs if `user` (`server.user`) cannot read the interpreter, its libraries or the program, which root can. Call it as root.

    The server loads modules and starts helper processes after it has become that user. A process of its own becomes the user and
    opens the files that are loaded so far.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return  # `misplaced` says so
    if os.geteuid() or not entry.pw_uid:
        return
    if closed := _tried_as(entry.pw_uid, entry.pw_gid):
        raise NotOurs(
            f"{closed}: {user} cannot read it, and the server needs it as {user}: install Python and the program where every user may read"
            " them, such as /usr and /opt"
        )


def _tried_as(uid: int, gid: int) -> str:
    """Return the first file or folder of this program that a user cannot read; empty: it can read all."""
    files = {str(module.__file__) for module in tuple(sys.modules.values()) if getattr(module, "__file__", None)}
    mapped = Path("/proc/self/maps").read_text().splitlines()
    files |= {line.split(maxsplit=5)[5] for line in mapped if ".so" in line}
    program, there = os.path.realpath(sys.executable), sorted(filter(os.path.isfile, files))
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        failed = True
        try:
            _become(uid, gid)
            os.write(writer, os.fsencode(_first_closed(program, there)))
            failed = False
        finally:
            os._exit(failed)
    os.close(writer)
    with open(reader, "rb") as found:
        closed = found.read()
    if os.waitpid(pid, 0)[1]:
        raise NotOurs(f"a process of root's could not become user {uid}")
    return os.fsdecode(closed)


def _first_closed(program: str, files: list[str]) -> str:
    """Return the interpreter if this process cannot run it, or the first file or its folder that it cannot read; empty: it can."""
    if not os.access(sys.executable, os.X_OK):
        return program
    for path in dict.fromkeys([*map(os.path.dirname, files), *files]):
        try:
            os.close(os.open(path, os.O_RDONLY))
        except OSError:
            return path
    return ""


def _named_owner(data: Path, user: str) -> tuple[int, int]:
    """Return (user, group) of `server.user`, and as root make its data folder if it does not exist. Raises NotOurs."""
    if wrong := misplaced(data, user):
        raise NotOurs(": ".join(wrong))
    entry = pwd.getpwnam(user)
    if os.geteuid() not in (0, entry.pw_uid):
        raise NotOurs(f"server.user is {user}, and you are {name_of(os.geteuid())}: run this as root or as {user}")
    if os.geteuid() == 0 and not data.exists():
        _make_for(data, entry.pw_uid, entry.pw_gid)
    return entry.pw_uid, entry.pw_gid


def _make_for(data: Path, uid: int, gid: int) -> None:
    """Make a folder of another user. That user may own the folder around it, and must not be able to lead this to another place. Raises NotOurs.

    Folders around it are not made: they would be closed to that user.
    """
    try:
        data.mkdir(mode=0o700)
        folder = os.open(data, os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchown(folder, uid, gid)
        finally:
            os.close(folder)
    except OSError as error:
        raise NotOurs(f"{data}: {error.strerror}. Make it by hand, for that user") from None


def _folder_owner(data: Path) -> tuple[int, int] | None:
    """Return (user, group) of a folder without keys, or None if it does not exist. Raises NotOurs."""
    try:
        found = data.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise NotOurs(f"{data}: {error.strerror}") from None
    return found.st_uid, found.st_gid


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
    """Become another user, with that user's groups and home, irrevocably."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        os.setgroups([gid])
    else:
        os.initgroups(entry.pw_name, gid)
        os.environ["HOME"] = entry.pw_dir  # libraries look for certificates and passwords there, and root's is closed
    os.setgid(gid)
    os.setuid(uid)
