"""The files that a reward stands in: its own, and those of the user's that it imports, directly or not.

Which these are is read off the import statements, also those inside functions, so it does not depend on what the
process has imported before. Only what lies under the current folder or the reward file's folder counts: installed
packages have versions, and this package a digest of its model. What is loaded in another way, or not as Python, is not
seen.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import personae

OWN = Path(personae.__file__).resolve().parent


def with_imported(files: Iterable[Path]) -> set[Path]:
    """`files`, and the Python files beside them or in the current folder that they import."""
    waiting = [file.resolve() for file in files]
    folders = [*dict.fromkeys((Path.cwd().resolve(), *(file.parent for file in waiting)))]
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [one for one in _imported(file, folders) if _counts(one, folders)]
    return found


def _counts(file: Path, folders: Sequence[Path]) -> bool:
    return any(file.is_relative_to(folder) for folder in folders) and not file.is_relative_to(OWN)


def _imported(file: Path, folders: Sequence[Path]) -> Iterator[Path]:
    """The files of the modules that a file names in its imports, and of the packages that they and it stand in."""
    yield from _packages(file)
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # no Python, or none of this version
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield from _modules(folders, name.name)
        elif isinstance(node, ast.ImportFrom):
            above = [file.parents[node.level - 1]] if 0 < node.level <= len(file.parents) else folders
            for name in node.names:
                yield from _modules(above, f"{node.module}.{name.name}" if node.module else name.name)


def _modules(folders: Sequence[Path], name: str) -> Iterator[Path]:
    """The files of `a`, `a.b` and `a.b.c` in the folders, of the name `a.b.c`; the last may be no module."""
    for folder in folders:
        place = folder
        for part in name.split("."):
            for file in (place / f"{part}.py", place / part / "__init__.py"):
                if file.is_file():
                    yield file.resolve()
            place = place / part


def _packages(file: Path) -> Iterator[Path]:
    """The files that are run before a module's own, as it stands in packages."""
    for folder in file.parents:
        if not (package := folder / "__init__.py").is_file():
            return
        yield package
