"""Episodes as JSON Lines, {"messages": [...]} and the keys that came with them; .gz packs it.

Law: what is written reads back as the same episodes, with `index` counted anew. The file appears whole or not at all,
and the same episodes give the same bytes. One line is in memory at a time.
"""

import gzip
import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from personae.errors import BadInput
from personae.records import Episode
from personae.records.files import plain, whole_file


def write_episodes(path: str | Path, episodes: Iterable[Episode]) -> int:
    """Write the episodes in order and return how many there were. Raises `RunFailed` where the disk refuses."""
    path, count = Path(path), 0
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(whole_file(path))
        if path.suffix == ".gz":
            file = cast("BinaryIO", stack.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0)))
        for count, episode in enumerate(episodes, start=1):  # noqa: B007 - the count is the result
            file.write(episode_line(episode).encode() + b"\n")
    return count


def episode_line(episode: Episode) -> str:
    """One episode as one line of JSON: its messages, then its extra keys in their own order."""
    if episode.form == "text":
        raise BadInput(f"episode {episode.index} is raw text outside any chat; only a chat is written as messages")
    if "messages" in episode.extra:
        raise BadInput(f"episode {episode.index} has an extra key 'messages'", remedy="rename that key")
    messages = [{"role": m.role, "content": m.content} for m in episode.messages]
    return json.dumps({"messages": messages, **plain(episode.extra)}, ensure_ascii=False)
