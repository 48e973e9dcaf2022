"""A clean Debian in a folder, made by debootstrap, and ways to run in it apart from the host."""

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
STARTED = time.monotonic()
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:7.1f} s  {text}", flush=True)


def run(*words: str) -> None:
    subprocess.run(words, check=True)


def isolate(kind: int) -> None:
    """Leave the host's mounts or network; what is mounted or opened from now on goes with this process."""
    if ctypes.CDLL(None, use_errno=True).unshare(kind) != 0:
        raise OSError(ctypes.get_errno(), "unshare: run this as root")


def raise_loopback() -> None:
    """In a network of our own, loopback is down at first."""
    siocsifflags, up_and_running = 0x8914, 0x1 | 0x40
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, siocsifflags, struct.pack("16sH14s", b"lo", up_and_running, b""))


def own_mounts() -> None:
    """Whatever is mounted from now on goes with this process."""
    isolate(CLONE_NEWNS)
    run("mount", "--make-rprivate", "/")


def pip_settings() -> dict[str, str]:
    """This host's way to its package index, as far as it stands in the environment."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def make_base(folder: Path) -> Path:
    """A minimal Debian with python3, as the base image has it, and this host's resolver and certificates."""
    base = folder / "base"
    if (base / ".complete").exists():
        return base
    shutil.rmtree(base, ignore_errors=True)
    packages = "--include=ca-certificates,python3,python3-venv"
    log = (folder / "debootstrap.log").open("wb")
    subprocess.run(
        ["debootstrap", "--variant=minbase", packages, "bookworm", base, MIRROR], stdout=log, check=True
    )
    (base / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for file in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(Path("/") / file, base / file)
    (base / ".complete").touch()
    return base
