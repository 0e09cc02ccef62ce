"""The name of a model behind an OpenAI-compatible server: the server's URL, `#`, and what the server calls the model.

    http://localhost:8000/v1#qwen
    http://localhost:8000/v1?tokenizer=models/qwen&form=echo#qwen

The part from `#` on may be left out where the server has one model only. In the query stand settings of ours, which are
not sent:

| setting     | means                                                                               | default          |
|-------------|-------------------------------------------------------------------------------------|------------------|
| `tokenizer` | a folder, a name from `personae models` or a Hub id, of which the tokenizer is read | the model's own  |
| `form`      | how the server gives log-probabilities of a prompt: `vllm` or `echo`                | `vllm`           |
| `at_once`   | requests at a time, at most                                                         | 8                |
| `timeout`   | seconds to wait for one answer                                                      | 120              |

Nothing secret belongs in it, since run folders and reports name the model: a key is read from `OPENAI_API_KEY`.
"""

from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from personae.errors import BadInput

Form = Literal["vllm", "echo"]
SCHEMES = ("http://", "https://")
SETTINGS = ("tokenizer", "form", "at_once", "timeout")
SERVERS_OWN = "the server's own"  # the number type of scores that a server gives, and its device


@dataclass(frozen=True)
class Address:
    """A served model: `base`, the URL under which the endpoints lie, and `model`, "" for the only one there is."""

    base: str
    model: str = ""
    tokenizer: str = ""
    form: Form = "vllm"
    at_once: int = 8
    timeout: float = 120.0


def is_address(name: str) -> bool:
    """Whether `name` names a model behind a server.

    >>> is_address("http://localhost:8000/v1#qwen"), is_address("Qwen/Qwen3-0.6B")
    (True, False)
    """
    return name.strip().lower().startswith(SCHEMES)


def stands_for(name: str) -> str:
    """The name that a served model would have on this machine; `name` itself where it is no address, or names none.

    >>> stands_for("http://localhost:8000/v1#qwen"), stands_for("lab")
    ('qwen', 'lab')
    """
    if not is_address(name):
        return name
    address = read_address(name)
    return address.tokenizer or address.model or name


def number_type(name: str, asked: str) -> str:
    """The number type of the scores of the model called `name`, where `asked` is what it is to be read in here.

    >>> number_type("http://localhost:8000/v1#qwen", "float32"), number_type("lab", "float32")
    ("the server's own", 'float32')
    """
    return SERVERS_OWN if is_address(name) else asked


def read_address(name: str) -> Address:
    """What `name` says. Raises `BadInput` for a URL that cannot be asked, carries a password, or has a wrong setting.

    >>> read_address("http://gpu:8000/v1/?at_once=2#org/model")
    Address(base='http://gpu:8000/v1', model='org/model', tokenizer='', form='vllm', at_once=2, timeout=120.0)
    """
    try:
        url = urlsplit(name.strip())
        host, _ = url.hostname, url.port
    except ValueError as problem:
        raise BadInput(f"{name!r} is no URL ({problem})", remedy="write http://host:8000/v1#model") from None
    if not host:
        raise BadInput(f"{name!r} names no host", remedy="write http://host:8000/v1#model")
    if url.username is not None or url.password is not None:
        raise BadInput("the URL of a server holds a user or a password", remedy="put the key into OPENAI_API_KEY")
    if not (_is_host(host) and all("!" <= letter <= "~" for letter in host + url.path)):
        found = "a part of its host is empty or too long, or it holds a space or a letter that is not ASCII"
        raise BadInput(f"{name!r} is no URL: {found}", remedy="write http://host:8000/v1#model")
    said = dict(parse_qsl(url.query, keep_blank_values=True))
    if unknown := [key for key in said if key not in SETTINGS]:
        raise BadInput(f"a server has no setting {unknown[0]!r}", remedy=f"one of {', '.join(SETTINGS)}")
    form = said.get("form", "vllm")
    if form not in get_args(Form):
        raise BadInput(f"form={form} of the server {host}", remedy=f"one of {', '.join(get_args(Form))}")
    return Address(
        base=f"{url.scheme.lower()}://{url.netloc}{url.path.rstrip('/')}",
        model=unquote(url.fragment),
        tokenizer=said.get("tokenizer", ""),
        form="echo" if form == "echo" else "vllm",
        at_once=int(_above_zero(said, "at_once", whole=True) or Address.at_once),
        timeout=_above_zero(said, "timeout") or Address.timeout,
    )


def _is_host(name: str) -> bool:
    """Whether `name` has parts that a host's may have, as it is looked up."""
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False


def _above_zero(said: dict[str, str], setting: str, *, whole: bool = False) -> float | None:
    """The number that a setting is given; None where it is not."""
    text = said.get(setting)
    if text is None:
        return None
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = 0
    if not 0 < number < 10**6:
        raise BadInput(f"{setting}={text} of the server", remedy=f"give a {'whole ' if whole else ''}number above zero")
    return number
