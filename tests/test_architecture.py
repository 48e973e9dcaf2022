"""The rules of the design that a reader would otherwise have to take on trust."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(path for package in ("index", "qa") for path in (ROOT / package).rglob("*.py"))
MODULE_LINES = 400
FUNCTION_LINES = 50

# Third-party packages that stay behind one seam: where each may be imported, as a module or a package's folder.
SEAMS = {
    "openai": ("qa/llm.py",),
    "fastapi": ("qa/api/",),
    "starlette": ("qa/api/",),
    "uvicorn": ("qa/api/",),
    "mcp": ("qa/mcp/server.py",),
    "prometheus_client": ("qa/api/metrics.py",),
    "opentelemetry": ("qa/api/otlp.py",),
    "xllamacpp": ("qa/llama_worker.py",),
    "langchain_core": ("qa/langchain.py",),
    "llama_index": ("qa/llamaindex.py",),
    # nothing of ours needs the retrievers of other libraries, so nothing may come to depend on their extras
    "qa.langchain": (),
    "qa.llamaindex": (),
    "faiss": ("index/snapshot.py", "index/segment.py", "index/large.py"),
    "pymilvus": ("index/milvus.py",),
    "milvus_lite": (),
    "sentence_transformers": ("index/reference.py",),
    "torch": ("index/reference.py",),
    "onnxruntime": ("index/onnx.py",),
}
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.fork", "os.forkpty", "os.system", "pty.fork"}
SQL_CALLS = {"execute", "executemany"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))


@cache
def imported(path: Path) -> tuple[str, ...]:
    found: list[str] = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.append(node.module)
    return tuple(found)


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def lines_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def is_number(part: ast.FormattedValue) -> bool:
    """`{n:d}` takes nothing but a whole number; a PRAGMA takes no parameter."""
    return part.format_spec is not None and ast.unparse(part.format_spec) == "f'd'"


def built_from_values(argument: ast.expr) -> bool:
    """Whether a piece of SQL is put together from values instead of being a constant, or a name of one."""
    if isinstance(argument, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) and not is_number(part) for part in argument.values)
    if isinstance(argument, ast.BinOp):
        return True
    return isinstance(argument, ast.Call) and ast.unparse(argument.func).endswith((".format", ".join"))


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def test_the_layers_of_the_design_hold() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "path", [m for m in MODULES if m.stem in {"types", "errors"} and m.parent.parent == ROOT]
)
def test_vocabulary_and_errors_are_leaves(path: Path) -> None:
    ours = {name for name in imported(path) if name.split(".")[0] in {"index", "qa"}}
    assert ours <= {"index.types", "index.errors"}


@each_module
def test_a_module_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES


@each_module
def test_a_function_fits_on_one_screen(path: Path) -> None:
    functions = [node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: n for f in functions if (n := lines_without_docstring(f)) > FUNCTION_LINES}
    assert long == {}


@pytest.mark.parametrize(("package", "allowed"), SEAMS.items(), ids=SEAMS)
def test_a_third_party_package_stays_behind_its_seam(package: str, allowed: tuple[str, ...]) -> None:
    depth = package.count(".") + 1
    names = {path: {".".join(name.split(".")[:depth]) for name in imported(path)} for path in MODULES}
    users = [name_of(path) for path in MODULES if package in names[path]]
    assert [user for user in users if not user.startswith(allowed)] == []


@each_module
def test_nothing_is_read_or_run_that_could_carry_code(path: Path) -> None:
    assert FORBIDDEN_IMPORTS.isdisjoint(name.split(".")[0] for name in imported(path))
    assert FORBIDDEN_CALLS.isdisjoint(name for name, _ in calls(path))


@each_module
def test_no_shell_stands_between_us_and_a_process(path: Path) -> None:
    shells = [call for _, call in calls(path) if any(word.arg == "shell" for word in call.keywords)]
    assert shells == []


@each_module
def test_sql_is_never_put_together_from_values(path: Path) -> None:
    executed = [call for name, call in calls(path) if name.split(".")[-1] in SQL_CALLS and call.args]
    assert [ast.unparse(call.args[0]) for call in executed if built_from_values(call.args[0])] == []


@pytest.mark.parametrize(
    "sql",
    ['f"SELECT {x}"', '"SELECT %s" % x', '"SELECT " + x', '"SELECT {}".format(x)', '" ".join(x)'],
)
def test_the_sql_rule_sees_each_way_to_put_sql_together(sql: str) -> None:
    assert built_from_values(ast.parse(sql, mode="eval").body)


@pytest.mark.parametrize("sql", ['"SELECT 1"', "QUERY", 'f"PRAGMA user_version = {n:d}"'])
def test_the_sql_rule_lets_constants_and_numbers_pass(sql: str) -> None:
    assert not built_from_values(ast.parse(sql, mode="eval").body)


def test_no_test_folder_shadows_a_package() -> None:
    folders = {path.name for path in (ROOT / "tests").rglob("*") if path.is_dir()}
    assert folders.isdisjoint({"index", "qa"})
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize("package", ["index", "qa"])
def test_a_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
