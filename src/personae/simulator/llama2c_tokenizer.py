"""The tokenizer of a llama2.c model: a file of pieces with a rank, joined best rank first.

The file is an int32 (the longest piece), then for every token a float32 score, an int32 length and the bytes of its
text. The first three tokens are special and the next 256 are the bytes, for text that no piece fits. Later tokens stand
in the order in which they are joined, which is that of their scores.

Every text begins with `<s>`, the token 1, as `run.c` has it.
"""

import struct
from pathlib import Path
from typing import Any

from personae.errors import BadInput

MOST_TOKENS = 1_000_000
FIRST_MERGED = 259
UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"


def read_tokenizer(path: Path) -> Any:  # noqa: ANN401 - the library's own type
    """The tokenizer of a file: pieces joined best rank first, bytes where no piece fits."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors
    from transformers import PreTrainedTokenizerFast

    known = [piece.replace(" ", "▁") for piece in pieces(path)]
    if len(known) < FIRST_MERGED:
        raise BadInput("is no tokenizer of llama2.c", file=path, remedy="copy the file again")
    known[:3] = [UNKNOWN, BEGIN, END]
    vocab = {piece: i for i, piece in enumerate(known)}
    merges = [
        (piece[:cut], piece[cut:])
        for piece in known[FIRST_MERGED:]
        for cut in range(1, len(piece))
        if piece[:cut] in vocab and piece[cut:] in vocab
    ]
    core = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token=UNKNOWN, byte_fallback=True, fuse_unk=True))
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    core.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, known.index(BEGIN))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token=BEGIN, eos_token=END, unk_token=UNKNOWN)


def pieces(path: Path) -> list[str]:
    """The text of every token; none where the file is not laid out so."""
    data, place, read = path.read_bytes(), 4, list[str]()
    while place + 8 <= len(data) and len(read) < MOST_TOKENS:
        (length,) = struct.unpack_from("<i", data, place + 4)
        end = place + 8 + length
        if length < 0 or end > len(data):
            return []
        try:
            read.append(data[place + 8 : end].decode())
        except UnicodeDecodeError:
            return []
        place = end
    return read if place == len(data) else []
