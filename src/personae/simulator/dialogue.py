"""How a dialogue becomes token ids, and which of them are the response: the same for evidence, training and sampling.

The *response span* is `ids[start:]`: the tokens of the last assistant turn with its end-of-turn token, and nothing
after it. The persona context stands

- in the system turn of a chat template, before the episode's own system text with a blank line between;
- at the head of the first user turn, with a blank line after it, where the template refuses a system turn or drops it
  once the answer is there;
- on a line before the dialogue, where the tokenizer has no template: `User: …` and `Assistant: …` lines, each answer
  ended by its newline;
- on a line before the text, where the episode is raw text: the continuation is verbatim, and has no end of turn.

A system turn later in the dialogue stands where it is; a template that does not keep it there is refused.

Of an episode whose last turn before the response is left *open* the response goes on with that turn, verbatim, and has
no end: what the model says in the user's name. The tokens are those that the same words have within a finished turn.

A layout depends on nothing but its arguments (`template.py`). An answer that comes with thoughts of its own has them in
the span; sampling never thinks.

The answer is what the template writes of it, so space around it may go; a template that leaves out more is refused.
Spaces at the end of a prompt belong to the response, because tokens carry the space before them, and so does a token
that holds the end of the prompt and the beginning of the answer (a template's newline and the answer's own).

Turns and contexts are text: one that spells a control token of the tokenizer (an end of turn, a role's header) is
refused, since it would be read as the token and could end a turn or speak in another's name. Raw text is its writer's
own layout, and is read as the tokenizer reads it.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from personae.errors import BadInput
from personae.records import Episode, Message
from personae.simulator.system_turns import Turns, split_system
from personae.simulator.template import PROBE, Template, special_tokens

LAYOUT = 1  # raised whenever an episode gets other tokens than it had, so that what was kept of a model is read anew
UNBOUNDED = 10**9  # tokenizers that know no window say 10**30


class Encoded(NamedTuple):
    """Token ids of a whole episode; `ids[start:]` is the response span."""

    ids: list[int]
    start: int


class Dialogue:
    """Lays out episodes for one tokenizer (a Hugging Face one, with or without a chat template)."""

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401
        self.tokenizer = tokenizer
        self._ids = lru_cache(maxsize=4096)(self._tokenise)
        self._control_token = lru_cache(maxsize=4096)(self._find_control_token)
        self._template = Template(tokenizer) if getattr(tokenizer, "chat_template", None) else None

    def encode(self, episode: Episode, context: str = "", *, window: int | None = None) -> Encoded:
        """The episode under a persona context. Raises `BadInput` with its line where `window` tokens do not hold it."""
        where = episode.where
        if episode.form != "text":
            self._refuse_control_tokens(episode.messages, context, where)
        if episode.form == "text" or self._template is None:
            prompt = self._plain_prompt(episode.prompt, context, episode.form)
            ending = "\n" if episode.form == "chat" else ""
            glue = " " if episode.form == "chat" else ""
            whole, lead = prompt + glue + episode.response + ending, self._lead
        elif episode.form == "open":
            prompt = self._left_open(self._template, episode.prompt, context, where)
            whole, lead = prompt + episode.response, ()
        else:
            asked = self._turns(self._template, episode.prompt, context, where)
            prompt, whole = self._template.write_answered(asked, episode.response, where)
            lead = ()
        prompt = prompt.rstrip(" ")
        encoded = self._span(prompt, whole, lead)
        if encoded.start == 0:
            encoded = self._behind_a_document_start(encoded, where)
        self._check_window(len(encoded.ids), window, where)
        return encoded

    def prompt_ids(self, messages: Sequence[Message], context: str = "", *, form: str = "chat") -> list[int]:
        """Token ids up to where the Assistant's answer begins (`form` "text": raw text, to be continued)."""
        if form == "chat":
            self._refuse_control_tokens(messages, context, "the prompt")
        if form == "text" or self._template is None:
            ids = [*self._lead, *self._ids(self._plain_prompt(messages, context, form).rstrip(" "))]
        else:
            asked = self._turns(self._template, messages, context, "the prompt")
            ids = list(self._ids(self._template.write(asked, "the prompt", answer_next=True).rstrip(" ")))
        return ids or list(self._document_start)

    @property
    def has_system_role(self) -> bool:
        """Whether there is a chat template that writes a system turn, and keeps it once the answer is there."""
        return self._template is not None and self._template.has_system_role

    @cached_property
    def one_line(self) -> bool:
        """Whether an answer is one line, since nothing but the line's end says where it ends."""
        return not self.end_of_turn.strip()

    def spoken(self, drawn: str) -> str:
        """The answer in a text that was drawn behind a prompt."""
        return (drawn.lstrip(" ").split("\n")[0] if self.one_line else drawn).strip()

    @property
    def end_of_turn(self) -> str:
        """The text that ends an answer: the template's, or the newline of the plain form."""
        return "\n" if self._template is None else self._template.end_of_turn

    @cached_property
    def stop_ids(self) -> list[int]:
        """Ids of the tokens that end an answer while sampling."""
        stop = {i for i in (self.tokenizer.eos_token_id,) if i is not None}
        ending = self.end_of_turn
        if "\n" in ending and not ending.strip():
            # Some tokenizers glue the newline to a full stop, so every token with a newline in it ends the line.
            stop |= {i for t, i in self.tokenizer.get_vocab().items() if "\n" in t or "Ċ" in t or t == "<0x0A>"}
        elif ending.strip() in special_tokens(self.tokenizer):
            stop.add(self.tokenizer.convert_tokens_to_ids(ending.strip()))
        return sorted(stop)

    # How the text is laid out ------------------------------------------------------------------------------------

    def _plain_prompt(self, messages: Sequence[Message], context: str, form: str) -> str:
        """The turns as lines, up to `Assistant:` or, left open, to the end of the last; or the raw text as it is."""
        if form == "text":
            return (f"{context}\n" if context else "") + "".join(m.content for m in messages)
        system, turns = split_system(messages, context)
        lines = [system] if system else []
        lines += [f"{turn.role.capitalize()}: {turn.content}" for turn in turns]
        return "\n".join(lines if form == "open" else [*lines, "Assistant:"])

    def _left_open(self, template: Template, messages: Sequence[Message], context: str, where: str) -> str:
        """What the chat template writes up to the last character of the last turn, which is not closed."""
        *before, last = messages
        marked = last.model_copy(update={"content": last.content + PROBE})
        whole = template.write(self._turns(template, [*before, marked], context, where), where, answer_next=False)
        if PROBE not in whole:
            raise BadInput(
                f"{where}: the chat template does not write a dialogue that ends with the {last.role}'s turn"
            )
        return whole[: whole.rindex(PROBE)]

    def _turns(self, template: Template, messages: Sequence[Message], context: str, where: str) -> Turns:
        """The turns that the template is to write, with the context in its place."""
        system, turns = split_system(messages, context)
        written = [{"role": turn.role, "content": turn.content} for turn in turns]
        if system and template.has_system_role:
            return [{"role": "system", "content": system}, *written]
        if system:
            first = next((turn for turn in written if turn["role"] == "user"), None)
            if first is None:
                raise BadInput(f"{where}: no user turn to carry the context, and the chat template has no system role")
            first["content"] = f"{system}\n\n{first['content']}"
        return written

    # How the text becomes tokens ---------------------------------------------------------------------------------

    def _tokenise(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _span(self, prompt: str, whole: str, lead: tuple[int, ...]) -> Encoded:
        """Tokenise the whole and find the first token of the response."""
        fast = bool(getattr(self.tokenizer, "is_fast", False))
        encoding = self.tokenizer(whole, add_special_tokens=False, return_offsets_mapping=fast)
        ids, before = list(encoding["input_ids"]), list(self._ids(prompt))
        if ids[: len(before)] == before:
            start = len(before)
        elif fast:  # a token straddles the border: it holds the response's first character
            start = next(i for i, (_, end) in enumerate(encoding["offset_mapping"]) if end > len(prompt))
        else:
            start = next(i for i, (a, b) in enumerate(zip(ids, before, strict=False)) if a != b)
        return Encoded([*lead, *ids], len(lead) + start)

    @cached_property
    def _lead(self) -> tuple[int, ...]:
        """The tokenizer's own beginning-of-text token, where it adds one to plain text."""
        first = self.tokenizer("a")["input_ids"][:1]
        return tuple(first) if first == [self.tokenizer.bos_token_id] else ()

    @cached_property
    def _document_start(self) -> tuple[int, ...]:
        """A token to condition the very first one on: beginning of text, or the end of the document before."""
        ids = (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id)
        return next(((i,) for i in ids if i is not None), ())

    def _behind_a_document_start(self, encoded: Encoded, where: str) -> Encoded:
        if not self._document_start:
            raise BadInput(f"{where}: nothing stands before the response, and the tokenizer has no token to begin with")
        return Encoded([*self._document_start, *encoded.ids], len(self._document_start))

    @cached_property
    def _control_tokens(self) -> list[str]:
        added = self.tokenizer.added_tokens_decoder.values()
        tokens = {str(token) for token in added if token.special} | set(self.tokenizer.all_special_tokens)
        return sorted(token for token in tokens if token.strip())

    def _find_control_token(self, text: str) -> str | None:
        return next((token for token in self._control_tokens if token in text), None)

    def _refuse_control_tokens(self, messages: Sequence[Message], context: str, where: str) -> None:
        turns = [(f"turn {n} ({turn.role})", turn.content) for n, turn in enumerate(messages, 1)]
        for place, content in [("the persona's context", context), *turns]:
            if token := self._control_token(content):
                raise BadInput(
                    f"{where}: {place} spells {token!r}, which the tokenizer reads as a control token and not as text",
                    remedy="leave it out, or spell it otherwise",
                )

    def _check_window(self, length: int, window: int | None, where: str) -> None:
        limit = window if window is not None else self.tokenizer.model_max_length
        if limit < UNBOUNDED and length > limit:
            raise BadInput(
                f"{where}: prompt and answer are {length} tokens, and the model's window holds {limit}",
                remedy="shorten or leave out this line, or use a model with a longer window",
            )


def laid_out(digest: str) -> str:
    """A model's digest with the layout that episodes have before it; the first layout leaves it as it is."""
    return digest if LAYOUT == 1 else hashlib.sha256(f"{digest} {LAYOUT}".encode()).hexdigest()


def response_ids(rows: Sequence[Encoded], where: str) -> tuple[int, ...]:
    """The tokens of a response, of which `rows` are the contexts. Raises `BadInput` unless all have the same."""
    spans = {tuple(row.ids[row.start :]) for row in rows}
    if len(spans) != 1:
        raise BadInput(f"{where}: the answer is not the same tokens under every context")
    return spans.pop()


def check_room(prompts: Sequence[Sequence[int]], max_tokens: int, temperature: float, window: int) -> None:
    """Raise `BadInput` where so many tokens cannot be drawn, or not behind each of the prompts."""
    if max_tokens < 1 or temperature < 0.0:
        raise BadInput(f"cannot sample {max_tokens} tokens at temperature {temperature}")
    longest = max(map(len, prompts), default=0)
    if longest + max_tokens > window:
        raise BadInput(
            f"a text of {longest} tokens leaves no room for {max_tokens} more in the model's window of {window}",
            remedy="shorten it, or ask for fewer tokens",
        )
