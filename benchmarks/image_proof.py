"""Prove the Dockerfile where no Docker runs: carry out its own steps, read from the file, in clean Debian roots.

    sudo python3 benchmarks/image_proof.py FOLDER

The roots are made by debootstrap in FOLDER; the base is kept there for a second run. Build steps run with the network;
then the server is started as the image would start it: unprivileged, on a read-only root, with no network but loopback.
Not proved: Docker's layers, EXPOSE and limits; and the base has Debian's python3 (3.11) instead of python:3.11-slim's.
"""

import json
import os
import platform
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from clean_root import CLONE_NEWNET, isolate, make_base, own_mounts, pip_settings, raise_loopback, run, say

SOURCE = Path(__file__).resolve().parent.parent
PORT = 8000
QUESTION = "How long did Austin's call with Wei last?"


@dataclass
class Stage:
    """One FROM of the Dockerfile: its root folder and what later steps inherit."""

    root: Path
    env: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    workdir: str = "/"
    user: str = "root"
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def inside(self, *words: str, user: str | None = None, **env: str) -> list[str]:
        """The command line that runs words in this root, as Docker would."""
        who = user or self.user
        pairs = [f"{name}={value}" for name, value in {**self.env, **env}.items()]
        chroot = ["chroot", f"--userspec={who}:{who}", str(self.root), "/usr/bin/env", "-i", *pairs]
        return [*chroot, "/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir, *words]


def make_context(folder: Path) -> Path:
    """The build context: what is committed, less what .dockerignore keeps out ("*", then names after "!")."""
    context, whole = folder / "context", folder / "whole"
    for old in (context, whole):
        shutil.rmtree(old, ignore_errors=True)
        old.mkdir()
    archive = subprocess.run(["git", "-C", SOURCE, "archive", "HEAD"], stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", whole], input=archive.stdout, check=True)
    lines = (whole / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for path in (path for line in lines if line.startswith("!") for path in whole.glob(line[1:])):
        target = context / path.relative_to(whole)
        target.parent.mkdir(parents=True, exist_ok=True)
        run("cp", "-a", str(path), str(target))
    return context


def copy(stage: Stage, stages: dict[str, Stage], context: Path, rest: str) -> None:
    words = shlex.split(rest)
    flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    *items, last = [word for word in words if not word.startswith("--")]
    origin = stages[flags["from"]].root if "from" in flags else context
    target = stage.root / (
        stage.workdir.strip("/") + "/" + last if not last.startswith("/") else last.strip("/")
    )
    for item in items:
        path = origin / item.strip("/")
        whole = target / path.name if last.endswith("/") else target
        whole.parent.mkdir(parents=True, exist_ok=True)
        run("cp", "-a", "-T", str(path), str(whole))
    if "chown" in flags:
        run(
            "chroot",
            str(stage.root),
            "chown",
            "-R",
            flags["chown"],
            "/" + str(target.relative_to(stage.root)),
        )


def new_stage(folder: Path, base: Path, rest: str) -> tuple[str, Stage]:
    words = rest.split()
    name = words[2] if len(words) > 2 else "final"
    root = folder / name
    shutil.rmtree(root, ignore_errors=True)
    run("cp", "-a", str(base), str(root))
    run("mount", "-t", "proc", "proc", str(root / "proc"))
    run("mount", "--rbind", "/dev", str(root / "dev"))
    return name, Stage(root)


def configure(stage: Stage, word: str, rest: str) -> None:
    """The instructions that change nothing on disk but a folder."""
    match word:
        case "ENV":
            stage.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        case "WORKDIR":
            stage.workdir = rest
            (stage.root / rest.strip("/")).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = rest
        case "HEALTHCHECK":
            stage.health = json.loads(rest.split(" CMD ", 1)[1])
        case "CMD":
            stage.command = json.loads(rest)
        case "VOLUME" | "EXPOSE":
            pass
        case _:
            sys.exit(f"no rule for {word}")


def build(folder: Path) -> Stage:
    """Carry out every step of the Dockerfile; return the last stage."""
    base, context = make_base(folder), make_context(folder)
    say("clean Debian and build context ready")
    text = (SOURCE / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    pip = pip_settings()  # as build arguments
    stages: dict[str, Stage] = {}
    stage = Stage(base)
    for line in (line for line in text.splitlines() if line and not line.startswith("#")):
        word, rest = line.split(" ", 1)
        if word == "FROM":
            name, stage = new_stage(folder, base, rest)
            stages[name] = stage
        elif word == "COPY":
            copy(stage, stages, context, rest)
        elif word == "RUN":
            run(*stage.inside("sh", "-ec", rest, **pip))
        else:
            configure(stage, word, rest)
        say(f"{word} {rest[:90]}")
    return stage


def ask(path: str, key: str | None = None, body: object = None) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def expect(what: str, held: bool, detail: object = "") -> None:
    say(f"{'ok  ' if held else 'FAIL'} {what} {detail}")
    if not held:
        sys.exit(1)


def prove_refusal(stage: Stage) -> None:
    done = subprocess.run(
        stage.inside(*stage.command), capture_output=True, text=True, timeout=60, check=False
    )
    said = (done.stdout + done.stderr).strip()
    expect(
        "without a key it does not start and says why:",
        done.returncode != 0 and "NUTGRAF_API_KEY" in said,
        said[:200],
    )


def make_read_only(stage: Stage) -> None:
    root = str(stage.root)
    run("mount", "--bind", root, root)
    run("mount", "--bind", f"{root}/data", f"{root}/data")
    run("mount", "-t", "tmpfs", "tmpfs", f"{root}/tmp")
    run("mount", "-o", "remount,bind,ro", root)
    written = subprocess.run(stage.inside("touch", "/opt/x", user="root"), capture_output=True, check=False)
    expect("not even root writes outside /data and /tmp", written.returncode != 0)


def still_runs(server: subprocess.Popen[bytes], began: float) -> None:
    if server.poll() is not None or time.monotonic() - began > 60:
        expect("the server runs and answers within a minute", held=False)


def wait_for(stage: Stage, server: subprocess.Popen[bytes]) -> None:
    """Run HEALTHCHECK until it passes, then wait until /readyz says the index answers."""
    began = time.monotonic()
    while subprocess.run(stage.inside(*stage.health), capture_output=True, check=False).returncode != 0:
        still_runs(server, began)
        time.sleep(0.2)
    say(f"ok   HEALTHCHECK passes after {time.monotonic() - began:.1f} s")
    while ask("/readyz")[0] != 200:
        still_runs(server, began)
        time.sleep(0.2)
    say(f"ok   ready after {time.monotonic() - began:.1f} s")


def prove_serving(stage: Stage, log: Path) -> None:
    key = secrets.token_hex(24)
    server = subprocess.Popen(
        stage.inside(*stage.command, NUTGRAF_API_KEY=key), stdout=log.open("wb"), stderr=subprocess.STDOUT
    )
    try:
        wait_for(stage, server)
        body = {"question": QUESTION}
        expect("without the key a question is refused:", ask("/v1/query", None, body)[0] == 401)
        status, raw = ask("/v1/query", key, body)
        answer = json.loads(raw)
        cited = [f"{c['path']}:{c['line_start']}" for c in answer.get("citations", [])]
        expect(
            "with it the question is answered:",
            (status, answer.get("status")) == (200, "answered"),
            (answer.get("answer"), cited),
        )
        facts = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        owner, memory = (
            next(line for line in facts.splitlines() if line.startswith(name)) for name in ("Uid:", "VmHWM:")
        )
        expect("it is not root, and peaks at", owner.split()[1] != "0", " ".join(memory.split()[1:]))
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(30)
    expect("it stops on SIGTERM with exit code", code == 0, code)


def main() -> None:
    """Build, then prove."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    own_mounts()
    say(f"host: {platform.machine()}, {os.cpu_count()} cores")
    stage = build(folder)
    size = subprocess.run(
        ["du", "-sm", stage.root / "opt", stage.root / "data"], capture_output=True, text=True, check=True
    )
    say(
        "MB added to the base: "
        + ", ".join(line.split("\t")[0] for line in size.stdout.splitlines())
        + " (program, index)"
    )
    isolate(CLONE_NEWNET)
    raise_loopback()
    prove_refusal(stage)
    make_read_only(stage)
    prove_serving(stage, folder / "server.log")


if __name__ == "__main__":
    main()
