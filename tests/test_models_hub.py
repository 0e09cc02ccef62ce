"""Models of the Hub: what is fetched, what counts as whole, and what is said where the Hub gives nothing."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from personae.errors import BadInput
from personae.simulator.hub import fetch_snapshot, fetch_tokenizer, kept_snapshot

COMMIT = "a" * 40
CONFIG = {"config.json": '{"architectures": ["LlamaForCausalLM"]}'}
TOKENS = {"tokenizer.json": "{}", "tokenizer_config.json": "{}"}
ADAPTER = {"adapter_config.json": "{}", "adapter_model.safetensors": "weights"}
PARTS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
INDEX = {"model.safetensors.index.json": json.dumps({"weight_map": dict(zip("ab", PARTS, strict=True))})}
SHARDED = {**CONFIG, **TOKENS, **INDEX, **dict.fromkeys(PARTS, "weights")}
BESIDE = {
    "LICENSE.txt": "free",
    "consolidated.safetensors": "weights",
    "original/consolidated.00.safetensors": "weights",
    "original/params.json": "{}",
    "original/tokenizer.model": "tokens",
    "additional_chat_templates/tools.jinja": "{{ messages }}",
}


class Hub(BaseHTTPRequestHandler):
    """A Hub over HTTP, of `repositories` {name: {file: text}}; it wants to be asked for those that are `gated`."""

    server: Any

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        """What lies at the path."""
        path = self.path.partition("?")[0].strip("/")
        api = path.startswith("api/models/")
        owner, _, rest = path.removeprefix("api/models/").partition("/")
        short, _, rest = rest.partition("/")
        files = self.server.repositories.get(f"{owner}/{short}")
        if not path:
            self.say("", 200)
        elif files is None:
            self.say("", 401, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
        elif api and rest.startswith("tree/"):
            self.say(json.dumps([{"type": "file", "path": f, "size": len(files[f]), "oid": mark(f)} for f in files]))
        elif api:
            siblings = [{"rfilename": file} for file in files]
            self.say(json.dumps({"id": f"{owner}/{short}", "sha": COMMIT, "siblings": siblings}))
        elif f"{owner}/{short}" in self.server.gated:
            self.say("", 403, X_Error_Code="GatedRepo", X_Error_Message="Access is restricted")
        else:
            file = rest.removeprefix("resolve/").partition("/")[2]
            self.say(files[file], ETag=f'"{mark(file)}"', X_Repo_Commit=COMMIT)

    def say(self, text: str, status: int = 200, **headers: str) -> None:
        """Answer with a text."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(text.encode())


def mark(file: str) -> str:
    return hashlib.sha1(file.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the Hub's client keeps what it fetched."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Hub on this machine, in place of the real one."""
    http: Any = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    http.daemon_threads, http.repositories, http.gated = True, {}, ()
    url = f"http://127.0.0.1:{http.server_address[1]}"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield http
    http.shutdown()
    http.server_close()
    thread.join()


def keep(cache: Path, name: str, files: dict[str, str], listing: dict[str, str] | None = None) -> Path:
    """Files of a Hub model in the cache, and what is known of those that there are."""
    folder = cache / f"models--{name.replace('/', '--')}"
    for path, text in {"refs/main": COMMIT, **{f"snapshots/{COMMIT}/{f}": files[f] for f in files}}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if listing:
        told = {file: {"size": len(listing[file]), "blob_id": mark(file)} for file in listing}
        (folder / "trees").mkdir()
        (folder / "trees" / f"{COMMIT}.json").write_text(json.dumps({"format_version": 1, "files": told}))
    return folder / "snapshots" / COMMIT


def without(files: dict[str, str], *names: str) -> dict[str, str]:
    return {file: text for file, text in files.items() if file not in names}


def shown(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_a_model_is_read_from_is_fetched_and_not_its_weights_a_second_time(hub: Any) -> None:
    hub.repositories["org/model"] = {**SHARDED, **BESIDE}
    folder = fetch_snapshot("org/model", "")
    assert shown(folder) == {*SHARDED, "LICENSE.txt", "additional_chat_templates/tools.jinja"}
    assert kept_snapshot("org/model") == folder


def test_of_an_adapter_its_weights_are_fetched_and_then_it_is_whole_here(hub: Any) -> None:
    hub.repositories["org/adapter"] = ADAPTER
    folder = fetch_snapshot("org/adapter", "")
    assert shown(folder) == {*ADAPTER}
    hub.repositories.clear()
    assert fetch_snapshot("org/adapter", "") == folder


def test_a_repository_of_another_form_of_weights_alone_is_refused_unfetched(hub: Any) -> None:
    hub.repositories["org/model"] = {**CONFIG, **BESIDE}
    with pytest.raises(BadInput, match="org/model: holds no safetensors"):
        fetch_snapshot("org/model", "")
    assert kept_snapshot("org/model") is None


@pytest.mark.parametrize("listing", [None, {**SHARDED, **BESIDE}])
def test_a_model_that_another_program_has_fetched_is_whole_when_it_can_be_read(
    cache: Path, listing: dict[str, str] | None
) -> None:
    folder = keep(cache, "org/model", SHARDED, listing)
    assert kept_snapshot("org/model") == folder == fetch_snapshot("org/model", "")


LACKING = {
    "a part of the weights": (SHARDED, PARTS[1]),
    "the weights' index": (SHARDED, "model.safetensors.index.json"),
    "all tokens": (SHARDED, "tokenizer.json"),
    "the configuration": (SHARDED, "config.json"),
    "the only weights": ({**CONFIG, **TOKENS, "model.safetensors": "weights"}, "model.safetensors"),
    "an adapter's weights": (ADAPTER, "adapter_model.safetensors"),
}


@pytest.mark.parametrize("lacking", LACKING)
def test_a_model_that_lacks_something_is_not_whole_and_the_rest_is_fetched(hub: Any, cache: Path, lacking: str) -> None:
    files, gone = LACKING[lacking]
    keep(cache, "org/model", without(files, gone))
    assert kept_snapshot("org/model") is None
    hub.repositories["org/model"] = files
    assert gone in shown(fetch_snapshot("org/model", ""))


def test_a_model_without_the_template_that_it_is_known_to_have_is_not_whole(cache: Path) -> None:
    keep(cache, "org/model", SHARDED, {**SHARDED, "chat_template.jinja": "{{ messages }}"})
    assert kept_snapshot("org/model") is None


def test_a_tokenizer_is_whole_without_the_weights_and_not_without_the_tokens(hub: Any, cache: Path) -> None:
    hub.repositories["org/model"] = {**SHARDED, **BESIDE}
    keep(cache, "org/model", without(TOKENS, "tokenizer.json"))
    folder = fetch_tokenizer("org/model", "")
    assert shown(folder) == {*TOKENS, *CONFIG, *INDEX, "LICENSE.txt", "additional_chat_templates/tools.jinja"}
    hub.repositories.clear()
    assert fetch_tokenizer("org/model", "") == folder


@pytest.mark.parametrize("fetch", [fetch_snapshot, fetch_tokenizer])
def test_where_the_hub_gives_nothing_the_line_says_what_to_do(hub: Any, fetch: Any) -> None:
    hub.repositories["org/gated"], hub.gated = SHARDED, ("org/gated",)
    with pytest.raises(BadInput, match=r"access on http://.*/org/gated, then `hf auth login`; or name a folder$"):
        fetch("org/gated", "or name a folder")
    with pytest.raises(BadInput, match=r"shows no org/none - check the spelling .* `hf auth login`; or name a folder$"):
        fetch("org/none", "or name a folder")
