"""Time starting, asking and indexing on this machine, and print a markdown table.

    python benchmarks/speed.py [--documents N] [--questions N] [--runs N]

Everything runs over the seeds in a folder that goes away afterwards. "Busy" is with one process beside it that keeps
one core spinning. Where the load average says that the machine was not quiet to begin with, the figures say so.
"""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter, process_time, sleep, strftime

from qa.service import Service
from qa.settings import Settings
from qa.types import Question

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds"
QUESTIONS = ROOT / "tests/quality/seeds.jsonl"
ONE_QUESTION = "How long did Austin's call with Dong Jun last?"
QUIET = 1.5
"""Highest load average under which a figure is taken as undisturbed."""
ALLOWED = (0, 3)
"""Exit codes of `ask`: answered, and no answer in the documents."""


def row(what: str, figure: str) -> None:
    """Print a row as soon as it is known."""
    print(f"| {what} | {figure} |", flush=True)


def environment(data: Path, reranker: str) -> dict[str, str]:
    """This process's environment with the settings of the measurement, and no others of ours."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith("NUTGRAF_")}
    return {**rest, "NUTGRAF_DATA_DIR": str(data), "NUTGRAF_RERANKER": reranker}


def whole_process(words: Sequence[str], env: dict[str, str], runs: int) -> str:
    """Median seconds from starting the command to its end, and mean seconds of processor."""
    command = [str(Path(sys.executable).with_name("nutgraf")), *words]
    taken, used = [], processor_of_children()
    for _ in range(runs):
        began = perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        taken.append(perf_counter() - began)
        if done.returncode not in ALLOWED:
            raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")
    mean = (processor_of_children() - used) / runs
    return f"{statistics.median(taken):.2f} s ({mean:.2f} s of processor)"


def processor_of_children() -> float:
    """Seconds of processor that ended child processes have used: hardly moved by what else runs."""
    times = os.times()
    return times.children_user + times.children_system


@contextmanager
def neighbour(*, busy: bool) -> Iterator[None]:
    """One process beside this one that keeps a core spinning, or none."""
    if not busy:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            yield
        finally:
            other.kill()


def spread(run: Callable[[str], object], questions: Sequence[str]) -> str:
    """Median and 95th percentile of a call over different questions, in ms, after one to warm up."""
    run(ONE_QUESTION)
    taken, used = [], process_time()
    for question in questions:
        began = perf_counter()
        run(question)
        taken.append((perf_counter() - began) * 1000)
    mean = (process_time() - used) * 1000 / len(questions)
    p95 = statistics.quantiles(taken, n=20)[-1]
    return f"{statistics.median(taken):.0f} / {p95:.0f} ms ({mean:.0f} ms of processor)"


def queries(data: Path, most: int) -> None:
    """Times of a query in one warm process, quiet and beside a busy one."""
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines() if line.strip()]
    questions = [one["question"] for one in rows if not one.get("history")]
    questions = questions[:: max(len(questions) // most, 1)][:most]
    calls: list[tuple[str, str, Callable[[Service], Callable[[str], object]]]] = [
        ("search without reranker", "off", lambda service: service.search),
        ("search with reranker", "auto", lambda service: service.search),
        ("whole answer, verbatim", "auto", lambda service: lambda text: service.ask(Question(text))),
    ]
    for what, reranker, call in calls:
        with closing(Service.open(Settings.from_env(environment(data, reranker)))) as service:
            for busy in (False, True):
                with neighbour(busy=busy):
                    figure = spread(call(service), questions)
                beside = "beside a busy process" if busy else "alone"
                row(f"{what}, {beside}: p50 / p95 of {len(questions)} questions", figure)


def varied(folder: Path, documents: int) -> None:
    """Write the seeds again and again with their words in another order, so that no text is known already."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    for number in range(documents):
        order = random.Random(number)
        lines = []
        for line in texts[number % len(texts)].split("\n"):
            words = line.split()
            order.shuffle(words)
            lines.append(" ".join(words))
        (folder / f"{number:04}.txt").write_text("\n".join(lines), encoding="utf-8")


def indexing(folder: Path, documents: int) -> None:
    """Passages a second when everything is new, models loaded before."""
    files = folder / "varied"
    files.mkdir()
    varied(files, documents)
    settings = Settings.from_env(environment(folder / "new", "off"))
    with closing(Service.open(settings, writable=True)) as service:
        service.ready()  # loads the models
        began, used = perf_counter(), process_time()
        report = service.sync(files)
        seconds, used = perf_counter() - began, process_time() - used
    row(
        f"first indexing, {documents} documents of {report.passages} passages",
        f"{report.passages / seconds:.1f} passages/s ({report.passages / used:.1f} a second of processor)",
    )


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(address: str) -> bool:
    """Whether a server answered a question."""
    body = json.dumps({"question": ONE_QUESTION}).encode()
    request = urllib.request.Request(f"{address}/v1/query", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def serving(data: Path) -> None:
    """Memory of a server with the seeds after ten answers."""
    port = free_port()
    command = [sys.executable, "-m", "qa", "serve", "--port", str(port)]
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment(data, "auto"), stdout=nowhere, stderr=nowhere) as server:
        try:
            left = 10
            for _ in range(300):
                left -= asked(f"http://127.0.0.1:{port}")
                if left == 0 or server.poll() is not None:
                    break
                sleep(0.2)
            if left:
                raise SystemExit("the server does not answer")
            status = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        finally:
            server.terminate()
    sizes = {
        name: int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in status.splitlines())
        if name in {"VmRSS", "VmHWM"}
    }
    row("server with the seeds: RSS / peak", f"{sizes['VmRSS'] / 1024:.0f} / {sizes['VmHWM'] / 1024:.0f} MB")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=100, help="to index (default: 100)")
    parser.add_argument("--questions", type=int, default=90, help="to ask of each mode (default: 90)")
    parser.add_argument("--runs", type=int, default=5, help="whole processes (default: 5)")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    state = "disturbed: the machine was busy with other work" if load > QUIET else "quiet"
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start ({strftime('%Y-%m-%d %H:%M')}), {state}\n")
    print("| what | figure |\n|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "seeds"
        whole_process(["index", str(SEEDS)], environment(data, "off"), 1)
        for what, reranker in (("without", "off"), ("with", "auto")):
            figure = whole_process(["ask", ONE_QUESTION], environment(data, reranker), args.runs)
            row(f"fresh `nutgraf ask` to its end, {what} reranker, median of {args.runs}", figure)
        row("`nutgraf --help`", whole_process(["--help"], environment(data, "off"), args.runs))
        queries(data, args.questions)
        indexing(folder, args.documents)
        serving(data)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
