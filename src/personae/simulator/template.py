"""A tokenizer's chat template: what it writes of turns, what it cannot be told, and where an answer ends in it.

What it writes depends on nothing but the turns: one that prints today's date is given a fixed one, one that thinks is
told not to. One that begins the thoughts itself and cannot be told (DeepSeek-R1's distillations) has them closed at
once, empty, which is how these models pass over them: an answer right behind their own beginning of a turn, as the
template writes a finished one, is a place where they would think.

Where it ends no answer (GLM-4), that is the token with which the user's next turn begins: within a dialogue it ends
each answer, the model gives it to stop, and without it no end would be scored or learned.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

from personae.errors import BadInput, first_line
from personae.simulator.system_turns import Turns, keeps_in_place

PROBE = "qwertz"  # a word no template writes of itself
THINK, THINK_END = "<think>", "</think>"
NO_THOUGHTS = f"{THINK}\n\n{THINK_END}\n\n"
FIXED_DATE = "{%- macro strftime_now(form) -%}01 Jan 2026{%- endmacro -%}"


class Template:
    """The chat template of one tokenizer, which has one."""

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401
        self._tokenizer = tokenizer
        self._keeps = lru_cache(maxsize=4096)(self._tries_to_keep)

    def write(self, turns: Turns, where: str, *, answer_next: bool, thinking: bool = False) -> str:
        """The turns as it writes them, up to where the Assistant's answer begins if that is next.

        Raises `BadInput` where it refuses them, or leaves out a system turn that the dialogue does not begin with.
        """
        later = any(turn["role"] == "system" for turn in turns[1:])
        if later and not self._keeps(tuple(turn["role"] for turn in turns), answer_next):
            raise BadInput(
                f"{where}: the chat template does not keep a system turn where it stands within the dialogue",
                remedy="put its words where the dialogue begins, or into the user's turn, or drop the row",
            )
        try:
            text = self._apply(turns, answer_next=answer_next, thinking=thinking)
            closes = answer_next and not thinking and self._opens_thoughts
            return text[: text.rindex(THINK)] + NO_THOUGHTS if closes else text
        except Exception as problem:  # a template refuses in whatever way it likes
            raise BadInput(f"{where}: the chat template refuses these turns: {first_line(problem)}") from problem

    def write_answered(self, asked: Turns, answer: str, where: str) -> tuple[str, str]:
        """The prompt, and the whole up to the end of the answer's turn, of which the prompt is a beginning.

        An answer with thoughts of its own, in a form that the template knows, stands where thinking is on: that is
        tried first where they begin it, since a template may write them behind the empty ones of thinking off.
        """
        thinks, lesser = self._takes_for_thoughts(answer), None
        for thinking in (thinks, not thinks):
            prompt, whole = self._both(asked, answer, where, thinking=thinking)
            if not whole.startswith(prompt):
                continue
            if not thinks or _begins(whole[len(prompt) :], answer):
                return prompt, self._up_to_end_of_turn(whole, answer, where)
            lesser = lesser or (prompt, whole)
        if lesser:
            return lesser[0], self._up_to_end_of_turn(lesser[1], answer, where)
        raise BadInput(
            f"{where}: the chat template writes the prompt differently once the answer is there",
            remedy="give the tokenizer a template whose generation prompt is a prefix of the whole dialogue",
        )

    def _both(self, asked: Turns, answer: str, where: str, *, thinking: bool) -> tuple[str, str]:
        """The prompt, and the whole with the empty thoughts that the prompt has, where an answer alone has none."""
        turns = [*asked, {"role": "assistant", "content": answer}]
        prompt = self.write(asked, where, answer_next=True, thinking=thinking)
        whole = self.write(turns, where, answer_next=False, thinking=thinking)
        if self._opens_thoughts or prompt.endswith(NO_THOUGHTS):
            whole = _behind_no_thoughts(prompt, whole, answer)
        return prompt, whole

    def _takes_for_thoughts(self, answer: str) -> bool:
        """Whether an answer begins with thoughts in a form that the template knows; in another they are text."""
        return THINK in self._text and _thinks(answer)

    @cached_property
    def has_system_role(self) -> bool:
        """Whether it writes a system turn, and keeps it once the answer is there."""
        turns = [{"role": role, "content": "Hello"} for role in ("system", "user", "assistant")]
        turns[0]["content"] = PROBE
        try:
            return PROBE in self._apply(turns, answer_next=False)
        except Exception:  # noqa: BLE001 - a template refuses in whatever way it likes
            return False

    @cached_property
    def end_of_turn(self) -> str:
        """The text that ends an answer: a special token, or what it writes there up to the end of the line."""
        after = self._tail or self._written_after({"role": "user", "content": "Hello"})
        for token in sorted(special_tokens(self._tokenizer), key=len, reverse=True):
            if after.lstrip().startswith(token):
                return after[: after.index(token) + len(token)]
        line, newline, _ = self._tail.partition("\n")
        return line + newline

    def _up_to_end_of_turn(self, whole: str, answer: str, where: str) -> str:
        if not whole.endswith(self._tail):
            raise BadInput(f"{where}: the chat template does not end this answer with {self._tail!r} as it ends others")
        kept = whole[: len(whole) - len(self._tail)] + self.end_of_turn
        said = _without_space(answer + self.end_of_turn)
        if self._takes_for_thoughts(answer) and _without_space(kept).removesuffix(said).endswith(THINK_END):
            problem = f"{where}: the chat template writes this answer so that its thoughts stand behind empty ones"
            raise BadInput(problem, remedy=f"drop them from the row, all up to {THINK_END!r}")
        if not _without_space(kept).endswith(said):
            problem = f"{where}: the chat template leaves out part of this answer"
            if self._drops_thoughts and THINK_END in answer:
                problem += f", its thoughts: all up to {THINK_END!r}"
                raise BadInput(problem, remedy="leave them out of the row; the answer then stands behind empty ones")
            raise BadInput(
                problem, remedy="keep in the answer only what the template writes; thoughts come first, and once"
            )
        return kept

    def _apply(self, turns: Turns, *, answer_next: bool, thinking: bool = False) -> str:
        rendered = self._tokenizer.apply_chat_template(
            turns,
            tokenize=False,
            add_generation_prompt=answer_next,
            enable_thinking=thinking,
            chat_template=self._text,
        )
        return str(rendered)

    @cached_property
    def _text(self) -> str:
        """The template, with a fixed date for one that asks for today's."""
        own = str(self._tokenizer.get_chat_template())
        return FIXED_DATE + own if "strftime_now" in own else own

    def _tries_to_keep(self, roles: Sequence[str], answer_next: bool) -> bool:
        return keeps_in_place(lambda turns: self._apply(turns, answer_next=answer_next), roles)

    @cached_property
    def _opens_thoughts(self) -> bool:
        """Whether it leaves thoughts begun where an answer is to come, and cannot be told not to."""
        try:
            asked = self._apply([{"role": "user", "content": "Hello"}], answer_next=True)
        except Exception:  # noqa: BLE001 - a template refuses in whatever way it likes
            return False
        return asked.rstrip().endswith(THINK)

    @cached_property
    def _drops_thoughts(self) -> bool:
        """Whether it leaves an answer's thoughts out, wherever they stand in it."""
        answer = f"{THINK}\n{PROBE}\n{THINK_END}\n\nHello"
        turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": answer}]
        return not any(PROBE in self._apply(turns, answer_next=False, thinking=on) for on in (False, True))

    @cached_property
    def _tail(self) -> str:
        """What it writes after an answer that ends the dialogue."""
        return self._written_after()

    def _written_after(self, *more: dict[str, str]) -> str:
        """What it writes after an answer, with the turns that follow it."""
        turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": PROBE}, *more]
        whole = self._apply(turns, answer_next=False)
        if PROBE not in whole:
            raise BadInput("the chat template does not write an answer that is given as text")
        return whole[whole.rindex(PROBE) + len(PROBE) :]


def special_tokens(tokenizer: Any) -> set[str]:  # noqa: ANN401
    """Every token that a tokenizer was given beside those of its text, and those that it calls special."""
    added = {str(token) for token in tokenizer.added_tokens_decoder.values()}
    return added | set(tokenizer.all_special_tokens)


def _thinks(answer: str) -> bool:
    r"""Whether an answer begins with thoughts of its own that are not blank.

    >>> _thinks("<think>\nHm.\n</think>\n\nYes"), _thinks("<think>\n\n</think>\n\nYes"), _thinks("Yes")
    (True, False, False)
    """
    thoughts, end, _ = answer.lstrip().removeprefix(THINK).partition(THINK_END)
    return answer.lstrip().startswith(THINK) and bool(end) and bool(thoughts.strip())


def _begins(said: str, answer: str) -> bool:
    """Whether an answer is what is said first, but for white space and for a `<think>` that the prompt may have."""
    answer = _without_space(answer)
    return _without_space(said).startswith((answer, answer.removeprefix(THINK)))


def _behind_no_thoughts(prompt: str, whole: str, answer: str) -> str:
    """The whole with the empty thoughts of its prompt, where the template writes none of a finished turn."""
    before = prompt.removesuffix(NO_THOUGHTS)
    if not whole.startswith(before) or whole.startswith(before + THINK):
        return whole
    said = whole[len(before) :]
    return prompt + (said.lstrip("\n") if THINK_END in answer else said)  # its own were dropped before it


def _without_space(text: str) -> str:
    return "".join(text.split())
