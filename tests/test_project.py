"""Laws about the project itself: what stands in it, what it may load, what it ships, and that its versions agree."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import personae

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "personae"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# What no file may hold: unfinished work, hidden code, a path of somebody's machine, the host of a package registry.
FORBIDDEN = re.compile(
    r"\bTODO\b|\bFIXME\b|pragma: no cover|/work/|/root/|/home/\w|/Users/\w"
    r"|pypi\.org|pythonhosted\.org|npmjs\.(org|com)|deb\.debian\.org"
)
WITHOUT_TORCH = ("errors", "records", "report", "theory", "data", "library", "ledger", "world")
HEAVY = ("torch", "transformers", "trl", "peft", "datasets", "pandas", "pyarrow", "scipy", "plotly")


def tracked(folder: Path = ROOT) -> list[Path]:
    """Files that git knows and that are there."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    names = subprocess.run(["git", "ls-files", "-z", str(folder)], cwd=ROOT, capture_output=True, check=True, text=True)
    return [path for name in names.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def is_text(path: Path) -> bool:
    """Whether a file's beginning holds no zero byte, as git decides it."""
    with path.open("rb") as file:
        return b"\0" not in file.read(8000)


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def modules_of(part: str) -> list[str]:
    """Dotted names of all modules of a part."""
    files = [PACKAGE / f"{part}.py"] if (PACKAGE / f"{part}.py").exists() else sorted((PACKAGE / part).rglob("*.py"))
    return [".".join(f.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for f in files]


def locked() -> dict[str, str]:
    """{distribution: version} of the lock."""
    pins = (line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines())
    return {canonicalize_name(name): version for name, version in pins}


def test_every_module_says_what_it_is() -> None:
    silent = [
        path for path in tracked(PACKAGE) if path.suffix == ".py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_file_holds_unfinished_work_or_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if path != Path(__file__).resolve() and is_text(path)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


def test_the_law_on_forbidden_words_would_find_one() -> None:
    assert FORBIDDEN.search("see /home/someone/notes") and FORBIDDEN.search("# TODO later")
    assert not FORBIDDEN.search("a todo list; ../shared/data; https://example.org")


def test_the_package_the_metadata_and_the_changelog_name_one_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest and newest[1] == personae.__version__ == PYPROJECT["project"]["version"]


@pytest.mark.parametrize("part", [part for part in WITHOUT_TORCH if modules_of(part)])
def test_what_is_known_without_a_model_loads_without_torch(part: str) -> None:
    imports = "\n".join(f"import {name}" for name in modules_of(part))
    assert loaded_by(imports).isdisjoint({"torch", "transformers", "trl", "peft"})


@pytest.mark.parametrize("part", [part for part in ("records", "cli") if modules_of(part)])
def test_the_nouns_and_the_command_line_load_nothing_heavy(part: str) -> None:
    assert loaded_by("\n".join(f"import {name}" for name in modules_of(part))).isdisjoint(HEAVY)


def test_every_library_that_is_imported_is_declared() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    allowed = PYPROJECT["project"]["dependencies"] + [r for name, rs in extras.items() if name != "dev" for r in rs]
    declared = {canonicalize_name(Requirement(line).name) for line in allowed}
    owners = importlib.metadata.packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in PACKAGE.rglob("*.py")
        for name in imported(ast.parse(path.read_text()))
        if name not in sys.stdlib_module_names and name != "personae"
        if declared.isdisjoint(canonicalize_name(owner) for owner in owners.get(name, [name]))
    }
    assert undeclared == set()


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of what a module imports anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_the_lock_holds_exact_pins_and_no_address() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    project, pins = PYPROJECT["project"], locked()
    wanted = [Requirement(r) for r in project["dependencies"] + project["optional-dependencies"]["dev"]]
    missing = [
        str(r)
        for r in wanted
        if r.name != "torch" and not r.specifier.contains(pins.get(canonicalize_name(r.name), "0"))
    ]
    assert missing == []
    assert "torch" not in pins, "torch is installed apart, since its build differs from machine to machine"


def test_the_wheel_ships_every_file_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for path in tracked():
        if path.is_relative_to(PACKAGE) or path.name in ("pyproject.toml", "LICENSE"):
            copy = source / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run(
        [*command, "--wheel-dir", str(tmp_path), str(source)], check=True, env=os.environ | {"PIP_NO_CACHE_DIR": "1"}
    )
    (wheel,) = tmp_path.glob("*.whl")
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("personae/")}
    assert shipped == {path.relative_to(PACKAGE.parent).as_posix() for path in tracked(PACKAGE)}
