"""The house holds: imports one way, doors closed, files and functions small, the wheel whole."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("features", "models", "retention", "pipelines")
MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 40


def sources(root: Path) -> list[Path]:
    return [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]


def long_files(root: Path) -> list[str]:
    return [path.name for path in sources(root) if len(path.read_text().splitlines()) > MOST_FILE_LINES]


def long_functions(root: Path) -> list[str]:
    return [
        f"{path.name}:{function.name}"
        for path in sources(root)
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if code_lines(path, function) > MOST_FUNCTION_LINES
    ]


def code_lines(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count lines that are neither blank, comment nor docstring."""
    lines = path.read_text().splitlines()
    first = function.body[0]
    is_docstring = ast.get_docstring(function) is not None
    described = set(range(first.lineno, (first.end_lineno or first.lineno) + 1)) if is_docstring else set()
    numbers = set(range(function.lineno, (function.end_lineno or function.lineno) + 1)) - described
    return sum(bool(lines[number - 1].split("#")[0].strip()) for number in numbers)


def addresses(lock: Path) -> list[str]:
    return [line for line in lock.read_text().splitlines() if "://" in line]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the packages and the settings of the tools, to plant faults in."""
    for name in (*PACKAGES, "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("lint-imports"))
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_all_import_contracts_are_kept() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "forbidden", "contract"),
    [
        ("features/planted.py", "models.digest", "Imports run pipelines, retention, models, features"),
        ("models/planted.py", "retention.segments", "Imports run pipelines, retention, models, features"),
        ("retention/planted.py", "pipelines", "Imports run pipelines, retention, models, features"),
        ("features/groups/sales.py", "features.groups.rhythm", "knows nothing of another group"),
        ("retention/planted.py", "prefect", "Prefect is used in pipelines only"),
        ("pipelines/planted.py", "mlflow", "MLflow is used in models.registry only"),
        ("features/planted.py", "duckdb", "Files and databases are reached by"),
        ("pipelines/planted.py", "psycopg", "Files and databases are reached by"),
        ("retention/planted.py", "sqlglot", "SQL is parsed where"),
        ("pipelines/planted.py", "pyspark", "Spark is used in pipelines.spark only"),
    ],
)
def test_a_planted_import_is_found(copy: Path, module: str, forbidden: str, contract: str) -> None:
    with (copy / module).open("a") as file:
        file.write(f"\nimport {forbidden}\n")
    done = lint_imports(copy)
    kept = {line for line in done.stdout.splitlines() if contract in line and "KEPT" in line}
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{module.removesuffix('.py').replace('/', '.')} -> {forbidden}" in done.stdout
    assert kept == set()


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    assert long_files(ROOT) == []


def test_no_function_is_longer_than_a_reader_can_hold() -> None:
    assert long_functions(ROOT) == []


def test_a_planted_long_file_and_a_planted_long_function_are_found(copy: Path) -> None:
    body = "\n".join(f"    x = {number}" for number in range(MOST_FUNCTION_LINES))
    (copy / "models" / "planted.py").write_text(f"def planted():\n{body}\n" + "\n" * MOST_FILE_LINES)
    assert "planted.py" in long_files(copy)
    assert "planted.py:planted" in long_functions(copy)


LOCKS = ("requirements.lock", "requirements-spark.lock")


def test_the_locks_hold_hashes_and_no_address(tmp_path: Path) -> None:
    planted = tmp_path / "requirements.lock"
    planted.write_text("--index-url https://example.org/simple\nnumpy==2.4.6\n")
    assert addresses(planted) == ["--index-url https://example.org/simple"]
    for lock in LOCKS:
        assert addresses(ROOT / lock) == []
        assert "--hash=sha256:" in (ROOT / lock).read_text()


def test_the_locks_hold_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    lines = [line for lock in LOCKS for line in (ROOT / lock).read_text().splitlines()]
    locked = {line.partition("==")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}
    assert {name_of(requirement) for requirement in wanted} - locked == set()


def name_of(requirement: str) -> str:
    from packaging.requirements import Requirement

    return Requirement(requirement).name.lower()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, offline, and return the folder it was unpacked into."""
    folder = tmp_path_factory.mktemp("wheel")
    kept = ("pyproject.toml", "README.md", "LICENSE", ".gitignore")
    for name in kept:
        shutil.copy(ROOT / name, folder / name)
    for name in (*PACKAGES, "configs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=folder, check=True, capture_output=True)
    (built,) = (folder / "dist").glob("treue-*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_wheel_holds_every_module_config_template_and_type_marker(wheel: Path) -> None:
    expected = {
        path.relative_to(ROOT)
        for package in (*PACKAGES, "configs")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".tmp" and "__pycache__" not in path.parts
    }
    missing = {path for path in expected if not (wheel / path).is_file()}
    assert missing == set()
    assert {Path(package) / "py.typed" for package in PACKAGES} <= expected
    assert any(path.suffix == ".yaml" for path in expected)


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    found = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert found == {*PACKAGES, "configs"}


def test_the_unpacked_wheel_can_be_imported_without_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import features.contract, models.registry, retention, pipelines, configs;"
        "print(features.contract.__file__, models.registry.__file__, retention.__file__, pipelines.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(wheel)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [path for path in done.stdout.split() if not path.startswith(str(wheel))] == []
