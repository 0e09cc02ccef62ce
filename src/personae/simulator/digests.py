"""What a checkpoint folder is, as one sha256: over its configuration, tokenizer and weight files, names and bytes.

Hashing gigabytes takes seconds, so the digest of a large file is kept in the cache folder and believed as long as the
file's size and time of change stay the same.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from personae.errors import RunFailed
from personae.records.files import digest_file, write_json
from personae.simulator.listing import cache_folder

PATTERNS = (
    "config.json",
    "adapter_config.json",
    "chat_template.*",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "*.safetensors",
    "*.safetensors.index.json",
)
LARGE = 1_000_000  # bytes


def digest_folder(folder: Path) -> str:
    """Sha256 (hex) of a checkpoint: the same files give the same digest wherever they lie."""
    paths = {path for pattern in PATTERNS for path in folder.glob(pattern) if path.is_file()}
    return digest_paths(sorted(paths))


def digest_paths(paths: list[Path]) -> str:
    """Sha256 (hex) over the names and bytes of some files."""
    kept = _kept()
    before = dict(kept)
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.name} {_digest(path, kept)}\n".encode())
    if kept != before:
        _keep(kept)
    return total.hexdigest()


def _digest(path: Path, kept: dict[str, Any]) -> str:
    stat = path.stat()
    if stat.st_size < LARGE:
        return digest_file(path)
    key, mark = str(path.resolve()), f"{stat.st_size} {stat.st_mtime_ns}"
    if kept.get(key, {}).get("mark") != mark:
        kept[key] = {"mark": mark, "sha256": digest_file(path)}
    return str(kept[key]["sha256"])


def _kept() -> dict[str, Any]:
    try:
        kept = json.loads((cache_folder() / "digests.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(kept: dict[str, Any]) -> None:
    try:
        write_json(cache_folder() / "digests.json", kept)
    except RunFailed:
        return  # a cache that cannot be written costs time only
