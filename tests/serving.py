"""A completion server for tests: real HTTP over a real small model, in vLLM's form, that can be told to fail."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch

from personae.simulator.local import LocalSimulator

Fault = Callable[["Handler", int], bool]  # (who answers, how many completions were asked for) -> whether it answered


@dataclass
class Serving:
    """What a server serves, what was asked of it, and how it fails."""

    simulator: LocalSimulator
    card: dict[str, Any]
    url: str = ""
    fault: Fault = lambda handler, number: False
    change: Callable[[dict[str, Any], dict[str, Any]], None] = lambda body, answer: None
    reply: Callable[[str], str] = lambda said: ""  # to a chat: what a judge says of the last message
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0
    lock: Any = field(default_factory=threading.Lock)
    model_lock: Any = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """The address of the model."""
        return f"{self.url}#{self.card['id']}"

    def completion(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request as a server without faults gives it."""
        ids = body["prompt"]
        choice: dict[str, Any] = {"index": 0, "text": "", "finish_reason": "length"}
        with self.model_lock:
            if body.get("prompt_logprobs") is not None:
                choice["prompt_logprobs"] = self.prompt_logprobs(ids)
            elif body.get("echo"):
                told = self.prompt_logprobs(ids)[1:]
                one = [entry[str(i)] for i, entry in zip(ids[1:], told, strict=True)]
                texts = [self.text(ids[0]), *(e["decoded_token"] for e in one), "!"]
                choice["logprobs"] = {"tokens": texts, "token_logprobs": [None, *(e["logprob"] for e in one), -1.0]}
            else:
                choice["text"] = self.drawn(body)
        return {"object": "text_completion", "choices": [choice], "usage": {"prompt_tokens": len(ids)}}

    def chat_completion(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a chat in OpenAI's form."""
        said = body["messages"][-1]["content"]
        text = said if isinstance(said, str) else "".join(part["text"] for part in said)
        choice = {"index": 0, "message": {"role": "assistant", "content": self.reply(text)}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        about = {"id": "chat-1", "object": "chat.completion", "created": 0, "model": body["model"]}
        return {**about, "choices": [choice], "usage": usage}

    def text(self, token: int) -> str:
        """The text of one token."""
        return self.simulator.tokenizer.decode([token])

    def logp(self, ids: list[int]) -> torch.Tensor:
        """(T, V) nats of the token after each place."""
        with torch.inference_mode():
            return self.simulator.model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)

    def prompt_logprobs(self, ids: list[int]) -> list[Any]:
        """As vLLM writes them: the token itself and the likeliest one, by id."""
        table: list[Any] = [None]
        for token, row in zip(ids[1:], self.logp(ids)[:-1], strict=True):
            both = {int(row.argmax()): 1, token: 2}
            table.append(
                {
                    str(i): {"logprob": float(row[i]), "rank": rank, "decoded_token": self.text(i)}
                    for i, rank in both.items()
                }
            )
        return table

    def drawn(self, body: dict[str, Any]) -> str:
        """A continuation, up to a stop token or text."""
        draw, ids, new = torch.Generator().manual_seed(body["seed"]), list(body["prompt"]), []
        stop = {self.simulator.tokenizer.eos_token_id, *body.get("stop_token_ids", [])}
        for _ in range(body["max_tokens"]):
            row = self.logp([*ids, *new])[-1]
            heat = body["temperature"]
            token = int(torch.multinomial((row / heat).exp(), 1, generator=draw)) if heat else int(row.argmax())
            if token in stop:
                break
            new.append(token)
        text = self.simulator.tokenizer.decode(new, skip_special_tokens=True)
        for end in body.get("stop", []):
            text = text.split(end)[0]
        return text


class Handler(BaseHTTPRequestHandler):
    """Answers for the `serving` of its server."""

    server: Any

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def say(self, status: int, answer: Any, **headers: str) -> None:
        """Answer with JSON, or with text as it is."""
        text = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        try:
            self.end_headers()
            self.wfile.write(text)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # whoever asked has gone away

    def do_GET(self) -> None:
        serving: Serving = self.server.serving
        serving.headers.append(dict(self.headers))
        if self.path == "/v1/models":
            self.say(200, {"object": "list", "data": [serving.card]})
        else:
            self.say(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        serving: Serving = self.server.serving
        self.body = body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with serving.lock:
            serving.asked.append(body)
            serving.headers.append(dict(self.headers))
            number = len(serving.asked)
            serving.busy += 1
            serving.busiest = max(serving.busy, serving.busiest)
        try:
            faulty = serving.fault(self, number)
            told = serving.chat_completion if self.path.endswith("/chat/completions") else serving.completion
            answer = None if faulty else told(body)
        finally:
            with serving.lock:
                serving.busy -= 1
        if answer is not None:
            serving.change(body, answer)
            self.say(200, answer)


@contextmanager
def running(simulator: LocalSimulator, **card: Any) -> Iterator[Serving]:
    """A server of `simulator` on a free port of this machine, until the block ends."""
    shown = {"id": "lab", "object": "model", "root": "lab", "max_model_len": simulator.window, **card}
    serving = Serving(simulator, shown)
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.serving = serving
    serving.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
