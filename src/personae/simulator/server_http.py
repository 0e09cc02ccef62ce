"""Requests to an OpenAI-compatible server: JSON out, JSON back, tried again where that can help, several at a time.

What may pass by itself is tried again, each time after twice the pause, give or take, or after what the server asks for
(`Retry-After`, which all requests wait for): no connection, no answer in time, an answer that breaks off or that its
reader calls `Passing`, too many requests, an error of the server. Tries at a busy server count from its last answer to
any request, so one that limits how many it takes is waited for. What will not pass (a request that is refused) is an
error at once. Either way the error is one line: which URL, what came back, what to do.

The key in `OPENAI_API_KEY`, where it is set, goes to the server and nowhere else: redirections are not followed, and it
is cut out of what the server says.
"""

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from personae.errors import BadInput, RunFailed

KEY = "OPENAI_API_KEY"
TRIES = 7
FEW_TRIES = 3  # where each takes the whole time that an answer is waited for, or a whole answer was no good
PAUSE = 0.5  # seconds before the second try; with the later ones about half a minute in all
GROWN = 2.0 ** (TRIES - 2)  # how many times the first pause a later one is, at most
LONGEST_PAUSE = 120.0  # seconds; a server that asks for more is not waited for
BUSY = (429, 503)  # with which a server limits what it takes
PASSING = (408, 425, 429)  # and all from 500 on: gateways have numbers of their own, as 520 to 529
FINAL = (501, 505)  # of those, what a server will never do
SHOWN = 300  # characters of what a server says
LOOPBACK = ("localhost", "127.0.0.1", "::1")
GOES_ON = "see that it runs, then give the same command again, which goes on from what is kept"

J = TypeVar("J")
R = TypeVar("R")


class _Stay(HTTPRedirectHandler):
    """Follows no redirection."""

    def redirect_request(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - the library's own
        """Nothing: the redirection itself is the answer."""
        return


class Passing(Exception):
    """An answer that may be another the next time: worth `tries` in all, `pause` seconds being asked for.

    Of a `busy` server they are tries in a row, without an answer to another request between them.
    """

    def __init__(
        self, said: str, *, pause: float = 0.0, tries: int = TRIES, busy: bool = False, remedy: str = GOES_ON
    ) -> None:
        super().__init__(said)
        self.pause, self.tries, self.busy, self.remedy = pause, tries, busy, remedy


class Server:
    """The endpoints under the URL `base`, each answer waited for `timeout` seconds.

    Raises `BadInput` for a key that no request can carry, without showing it.
    """

    def __init__(self, base: str, timeout: float) -> None:
        self.base, self.timeout = base, timeout
        self._key = _usable(os.environ.get(KEY, "").strip())
        # A proxy of the environment does not know what this machine calls itself.
        direct = [ProxyHandler({})] if urlsplit(base).hostname in LOOPBACK else []
        self._opener = build_opener(_Stay(), *direct)
        self._answered = self._not_before = time.monotonic()  # the last answer, and the time that the server asks for

    def get(self, path: str, *, tries: int = TRIES) -> dict[str, Any]:
        """What lies at `path`."""
        return self._asked(path, None, tries, lambda answer: answer)

    def post(self, path: str, body: Mapping[str, Any], read: Callable[[dict[str, Any]], R]) -> R:
        """What `read` makes of the answer to `body`; one that it calls `Passing` is asked for again."""
        return self._asked(path, json.dumps(body).encode(), TRIES, read)

    def _asked(self, path: str, body: bytes | None, tries: int, read: Callable[[dict[str, Any]], R]) -> R:
        url, pause, tried, last = self.base + path, PAUSE, 0, time.monotonic()
        while True:
            while (rest := self._not_before - time.monotonic()) > 0.0:
                time.sleep(rest)
            try:
                found = read(self._once(url, body))
            except Passing as problem:
                tried = 1 if problem.busy and self._answered > last else tried + 1
                last = time.monotonic()
                if tried >= min(tries, problem.tries):
                    raise RunFailed(f"{url}: {problem}, in {tried} tries - {problem.remedy}") from problem
                if problem.pause > LONGEST_PAUSE:
                    asked = f"asks for a pause of {problem.pause:.0f} seconds"
                    raise RunFailed(f"{url}: {problem}, and {asked} - {problem.remedy}") from problem
                self._not_before = max(self._not_before, last + problem.pause)
                time.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(2.0 * pause, GROWN * PAUSE)
            else:
                self._answered = time.monotonic()
                return found

    def _once(self, url: str, body: bytes | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            with self._opener.open(Request(url, body, headers), timeout=self.timeout) as answer:
                return self._read(url, answer.read())
        except HTTPError as refusal:
            with refusal:
                self._refused(url, refusal)
        except TimeoutError as problem:
            raise Passing(f"no answer within {self.timeout:g} seconds", tries=FEW_TRIES) from problem
        except (OSError, HTTPException) as problem:
            reason = getattr(problem, "reason", problem)
            if isinstance(reason, TimeoutError):
                raise Passing(f"no connection within {self.timeout:g} seconds", tries=FEW_TRIES) from problem
            raise Passing(f"no answer ({self._shown(str(reason) or type(reason).__name__)})") from problem
        raise AssertionError("a refusal is raised")

    def _read(self, url: str, text: bytes) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except ValueError as problem:  # it may have broken off, which not every server's form of answer tells
            said = f"the answer is no whole JSON: {self._shown(text.decode(errors='replace'))!r}"
            raise Passing(said, tries=FEW_TRIES, remedy="is this an OpenAI-compatible server?") from problem
        if not isinstance(found, dict):
            raise RunFailed(f"{url}: the answer is no JSON object - is this an OpenAI-compatible server?")
        return found

    def _refused(self, url: str, refusal: HTTPError) -> None:
        """Raise what a status other than success means."""
        said = f"{refusal.code} {self._message(refusal)}".strip()
        if refusal.code in PASSING or (refusal.code >= 500 and refusal.code not in FINAL):
            pause = _asked_pause(refusal.headers.get("Retry-After"))
            raise Passing(f"the server says {said}", pause=pause, busy=refusal.code in BUSY)
        if refusal.code in (401, 403):
            remedy = (
                f"set {KEY} to a key that it takes" if not self._key else f"{KEY} holds a key that it does not take"
            )
        elif refusal.code == 404:
            remedy = "a server's URL commonly ends in /v1, and `curl URL/models` lists its models"
        else:
            remedy = "the server's own log may say more"
        raise BadInput(f"{url}: the server refuses the request: {said}", remedy=remedy)

    def _message(self, refusal: HTTPError) -> str:
        """What an error says in words, out of the forms that servers write it in."""
        try:
            text = refusal.read(65536).decode(errors="replace")
            found = json.loads(text)
        except (OSError, HTTPException):
            return str(refusal.reason)
        except ValueError:
            return self._shown(text or str(refusal.reason))
        while isinstance(found, dict):
            found = next((found[key] for key in ("error", "message", "detail") if key in found), str(found))
        return self._shown(str(found))

    def _shown(self, text: str) -> str:
        """The beginning of a foreign text, on one line, without the key."""
        one = " ".join((text.replace(self._key, "…") if self._key else text).split())
        return one if len(one) <= SHOWN else one[: SHOWN - 1] + "…"


def _usable(key: str) -> str:
    """A key as it is: printable ASCII without spaces. What a header cannot carry would be shown by the error of it."""
    if all("!" <= letter <= "~" for letter in key):
        return key
    problem = f"{KEY} holds a space, a line break or a letter that is not ASCII, so it is no key"
    raise BadInput(problem, remedy="copy the key again, alone and on one line")


def _asked_pause(said: str | None) -> float:
    """Seconds that a `Retry-After` asks for, which is a number or a date; 0 where there is none.

    >>> _asked_pause("3"), _asked_pause(None), _asked_pause("Thu, 01 Jan 1970 00:00:00 GMT"), _asked_pause("soon")
    (3.0, 0.0, 0.0, 0.0)
    """
    if not said:
        return 0.0
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return 0.0


def each(work: Callable[[J], R], jobs: Sequence[J], at_once: int) -> Iterator[tuple[int, R]]:
    """(place of the job, result) of every job, as they come, `at_once` at a time; the first failure ends it.

    The threads do not outlive the process, so that Ctrl-C does not wait for a server that is silent.
    """
    todo: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, R | None, BaseException | None]] = SimpleQueue()
    over = threading.Event()
    for place in range(len(jobs)):
        todo.put(place)

    def worker() -> None:
        while not over.is_set():
            try:
                place = todo.get_nowait()
            except Empty:
                return
            try:
                done.put((place, work(jobs[place]), None))
            except BaseException as problem:  # noqa: BLE001 - handed to whoever waits
                done.put((place, None, problem))

    for _ in range(min(at_once, len(jobs))):
        threading.Thread(target=worker, daemon=True).start()
    try:
        for _ in jobs:
            place, result, problem = done.get()
            if problem is not None:
                raise problem
            yield place, result  # type: ignore[misc] # without a problem there is a result
    finally:
        over.set()
