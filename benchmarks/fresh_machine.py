"""Time the README's two commands on a clean Debian: a fresh clone, `make run` twice, `make test`.

    sudo python3 benchmarks/fresh_machine.py FOLDER [--no-test]

The Debian is made by debootstrap in FOLDER with what the README asks for (git, make, python3-venv) and nothing else.
It shares this host's network, processor and package index (PIP_* variables; a local PIP_FIND_LINKS folder is bound in).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from clean_root import make_base, own_mounts, pip_settings, run, say

SOURCE = Path(__file__).resolve().parent.parent
PORT = int(os.environ.get("PROOF_PORT", "18000"))
ADDRESS = f"http://127.0.0.1:{PORT}"


def inside(root: Path, *words: str, folder: str = "/") -> list[str]:
    """The command line that runs words in the root with a bare environment."""
    env = {"HOME": "/root", "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **pip_settings()}
    pairs = [f"{name}={value}" for name, value in env.items()]
    start = ["/usr/bin/env", "-i", *pairs, "/bin/sh", "-c", 'cd "$0" && exec "$@"', folder]
    return ["chroot", str(root), *start, *words]


def make_machine(folder: Path) -> Path:
    base, root = make_base(folder), folder / "machine"
    shutil.rmtree(root, ignore_errors=True)
    run("cp", "-a", str(base), str(root))
    run("mount", "-t", "proc", "proc", str(root / "proc"))
    run("mount", "--rbind", "/dev", str(root / "dev"))
    wheels = Path(os.environ.get("PIP_FIND_LINKS", ""))
    if wheels.is_absolute() and wheels.is_dir():
        (root / wheels.relative_to("/")).mkdir(parents=True)
        run("mount", "--bind", str(wheels), str(root / wheels.relative_to("/")))
    install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends git make python3-venv >/dev/null"
    run(*inside(root, "sh", "-c", f"export DEBIAN_FRONTEND=noninteractive; {install}"))
    run("git", "clone", "-q", "--no-hardlinks", str(SOURCE), str(root / "root/nutgraf"))
    return root


def ready() -> bool:
    try:
        with urllib.request.urlopen(f"{ADDRESS}/readyz", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def ask(question: str) -> dict[str, object]:
    body = json.dumps({"question": question}).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{ADDRESS}/v1/query", body, headers), timeout=60
    ) as response:
        return dict(json.load(response))


def time_run(root: Path, what: str, limit: float) -> None:
    """Start `make run`, wait until it can answer, ask, stop it as ctrl-C would."""
    began = time.monotonic()
    words = inside(root, "env", f"NUTGRAF_PORT={PORT}", "make", "run", folder="/root/nutgraf")
    with (root / "run.log").open("wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    while not ready():
        if server.poll() is not None or time.monotonic() - began > limit:
            sys.exit(f"{what} did not get ready:\n" + (root / "run.log").read_text(encoding="utf-8"))
        time.sleep(0.2)
    say(f"{what}: ready after {time.monotonic() - began:.1f} s")
    answer = ask("How long did Austin's call with Wei last?")
    say(f"{what}: {answer['status']}: {answer['answer']}")
    os.killpg(server.pid, signal.SIGINT)
    server.wait(30)


def main() -> None:
    """Make the machine, then run and time each command."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    own_mounts()
    root = make_machine(folder)
    say("a clean Debian with git, make and python3-venv; fresh clone")
    time_run(root, "first make run (installs, indexes)", 900)
    time_run(root, "second make run", 60)
    size = subprocess.run(
        ["du", "-sm", root / "root/nutgraf/.venv"], capture_output=True, text=True, check=True
    )
    say(f".venv: {size.stdout.split()[0]} MB")
    if "--no-test" in sys.argv:
        return
    began = time.monotonic()
    run(*inside(root, "make", "dev", folder="/root/nutgraf"))
    say(f"make dev: {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    done = subprocess.run(inside(root, "make", "test", folder="/root/nutgraf"), check=False)
    say(f"make test: exit {done.returncode} after {time.monotonic() - began:.1f} s")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
