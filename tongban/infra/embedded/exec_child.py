"""The last step before a child process becomes its program: give up root, tie its life to ours, exec.

Run by path as `python -I -S exec_child.py PARENT_PID SIGNAL USER PROGRAM ARGUMENT…`; imports nothing of
Tongban, so it starts in a few hundredths of a second. It stands between fork and exec because the kernel
forgets the wish for a death signal (prctl PR_SET_PDEATHSIG) when the user id changes, so it must be made
after that, and because Python code between fork and exec is not safe once the parent has threads.

USER is a name, or `-` to stay who we are. SIGNAL is the number that the kernel sends to the program when
the parent dies. Where there is no prctl (macOS) the program simply outlives a killed parent.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def die_with_parent(parent_pid: int, death_signal: int) -> None:
    """Ask the kernel for `death_signal` when the parent dies; exit at once if it is dead already."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:
        sys.exit(1)


def become(user: str) -> None:
    """Give up root for the named user; its groups come along, and HOME follows."""
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir


def main() -> None:
    """Read the arguments that the module's docstring names and exec the program."""
    parent_pid, death_signal, user, *command = sys.argv[1:]
    if user != "-":
        become(user)
    die_with_parent(int(parent_pid), int(death_signal))
    try:
        os.execvp(command[0], command)  # noqa: S606 - exec without a shell is the point
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
