"""The notebooks: stored without outputs, and executed from top to bottom on this interpreter, without a warning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NAMED = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
PLACE = re.compile(r"(?:^|[\s\"'(=])(?:/(?:home|root|Users|tmp|work|mnt|opt|usr|var)/|~/|[A-Za-z]:\\)", re.MULTILINE)


class ThisInterpreter(AsyncKernelManager):
    """Starts the interpreter that runs the tests, whatever kernels are installed under the name `python3`."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def sources(path: Path) -> list[str]:
    return [cell.source for cell in read(path).cells]


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 2


@NAMED
def test_outputs_and_execution_counts_are_stripped(path: Path) -> None:
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    left = [cell.id for cell in code if cell.outputs or cell.execution_count is not None or cell.metadata]
    assert not left, f"strip {path.name}: cells {', '.join(left)} hold outputs, counts or metadata"


@NAMED
def test_cells_have_ids_each_once(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    assert len(ids) == len(set(ids))


@NAMED
def test_the_kernel_is_python_and_nothing_more_is_said_about_it(path: Path) -> None:
    metadata = read(path).metadata
    assert metadata["kernelspec"] == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert metadata["language_info"] == {"name": "python"}, "no version: it would change with every reader"


@NAMED
def test_no_path_of_somebodys_machine_is_named(path: Path) -> None:
    assert not [found.group() for source in sources(path) for found in PLACE.finditer(source)]


@NAMED
def test_cells_are_short(path: Path) -> None:
    long = [cell.id for cell in read(path).cells if len(cell.source.splitlines()) > 40]
    assert not long, f"{path.name}: split the cells {', '.join(long)}"


@pytest.mark.slow
@NAMED
def test_it_runs_from_top_to_bottom_without_a_warning(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("TREUE_CONFIG", raising=False)
    notebook = read(path)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, kernel_manager_class=ThisInterpreter, timeout=180, resources=where).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 4
