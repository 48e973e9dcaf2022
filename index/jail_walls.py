"""The walls that a parser process builds around itself before it reads a stranger's bytes.

Limits hold everywhere; a namespace without network, Landlock and seccomp where the kernel has them (Linux). A wall
that cannot be built is left out: each of them alone already stops most of what a parser could be made to do.
"""

import ctypes
import os
import platform
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What one parse may use: seconds of processor, bytes of address space, open files."""

    cpu: int = 50
    memory: int = 1 << 30
    files: int = 32


_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_VERSION = 1
_LANDLOCK_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_ALL_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From which version of Landlock how many rights to files exist."""

# What a parser never needs: sockets, new processes, signals, other processes' memory, mounts, the kernel's own doors.
_REFUSED = {
    "x86_64": (
        0xC000003E,
        (41, 42, 49, 50, 53, 56, 57, 58, 59, 62, 101, 165, 200, 234, 246, 248, 249, 250, 272, 298, 304, 308, 310, 311,
         320, 321, 322, 323, 424, 425, 434, 435, 438),
    ),
    "aarch64": (
        0xC00000B7,
        (40, 97, 104, 117, 129, 130, 131, 198, 199, 200, 201, 203, 217, 218, 219, 220, 221, 241, 265, 268, 270, 271,
         280, 281, 282, 294, 424, 425, 434, 435, 438),
    ),
}  # fmt: skip
_X32 = 0x40000000


def build(limits: Limits, readable: Sequence[str]) -> tuple[str, ...]:
    """Build every wall that this system has; files stay readable beneath the given folders only.

    Returns the names of the walls that stand.
    """
    walls = ["limits"]
    _limit(limits)
    if sys.platform != "linux":
        return tuple(walls)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWNET | _CLONE_NEWUSER) == 0:
        walls.append("network")
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _landlock(libc, readable):
        walls.append("landlock")
    if _seccomp(libc):
        walls.append("seccomp")
    return tuple(walls)


def _limit(limits: Limits) -> None:
    """The limits that every Unix has. Ends the process where even they cannot be set."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_CPU: limits.cpu,
        resource.RLIMIT_AS: limits.memory,
    }
    for kind, most in wanted.items():
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)  # noqa: PLW2901
        resource.setrlimit(kind, (most, most))


def _landlock(libc: ctypes.CDLL, readable: Sequence[str]) -> bool:
    """Reading is left beneath some folders; writing, making, removing and executing nowhere."""
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    rights = max(count for since, count in _ALL_RIGHTS if version >= since)
    handled = ctypes.c_uint64((1 << rights) - 1)
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, ctypes.byref(handled), 8, 0)
    if ruleset < 0:
        return False
    for folder in readable:
        _allow_reading(libc, ruleset, folder)
    done: int = libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return done == 0


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def _allow_reading(libc: ctypes.CDLL, ruleset: int, folder: str) -> None:
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rights = _READ_FILE | (_READ_DIR if Path(folder).is_dir() else 0)
    rule = _PathBeneath(rights, descriptor)
    libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, ctypes.byref(rule), 0)
    os.close(descriptor)


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refused calls fail with EPERM


def _seccomp(libc: ctypes.CDLL) -> bool:
    """Refuse the system calls that no parser needs."""
    known = _REFUSED.get(platform.machine())
    if known is None:
        return False
    architecture, numbers = known
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    steps.append((_AT_LEAST, len(numbers) + 1, 0, _X32))
    steps += [(_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    program = _Program(len(steps), (_Instruction * len(steps))(*(_Instruction(*step) for step in steps)))
    done: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
    return done == 0
