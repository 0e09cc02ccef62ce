"""What a network keeps of tokens it has read: keys and values by layer, so that a shared beginning is read once.

A `Past` holds R rows of unlike length, each pushed to the right: row r fills the last `lengths[r]` places of P. Pushed
so, new tokens follow at once, distances between tokens are the true ones, and rows can be picked and repeated at will.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers.cache_utils import DynamicCache, DynamicLayer


@dataclass(frozen=True)
class Past:
    """Keys and values (R, H, P, D) of each layer, on that layer's device, and how many places each row fills."""

    layers: tuple[tuple[Tensor, Tensor], ...]
    lengths: Tensor  # (R,)

    @classmethod
    def empty(cls, rows: int, device: torch.device) -> "Past":
        """Rows that have read nothing."""
        return cls((), torch.zeros(rows, dtype=torch.long, device=device))

    @property
    def width(self) -> int:
        """P, the places held for every row."""
        return self.layers[0][0].shape[2] if self.layers else 0

    def mask(self) -> Tensor:
        """(R, P): 1 where a row has a token."""
        places = torch.arange(self.width, device=self.lengths.device)
        return (places[None, :] >= self.width - self.lengths[:, None]).long()

    def select(self, rows: Sequence[int]) -> "Past":
        """These rows, in this order, repeats included, with no more places than they need."""
        index = torch.tensor(rows, device=self.lengths.device)
        lengths = self.lengths[index]
        if not self.layers or not (width := int(lengths.max())):
            return Past((), lengths)
        return Past(tuple((_rows(k, index, width), _rows(v, index, width)) for k, v in self.layers), lengths)

    def spread(self, taken: Sequence[bool]) -> "Past":
        """The rows in order at the places that are taken, and rows that have read nothing between them."""
        places = torch.tensor(taken, device=self.lengths.device)
        whole = self.select((places.cumsum(0) - 1).clamp(min=0).tolist())
        return Past(whole.layers, whole.lengths * places)

    def as_cache(self, *, keep: bool = True) -> DynamicCache:
        """A Hugging Face cache; unless a forward pass is to `keep` what it reads, it leaves no trace there."""
        cache = DynamicCache()
        cache.layers.extend(_lent(keys, values, keep) for keys, values in self.layers)
        return cache

    def lengthened(self, cache: Any, fresh: Tensor) -> "Past":  # noqa: ANN401
        """The past after a forward pass on right-padded tokens, `fresh` (R,) of them real; padding is squeezed out."""
        width = cache.layers[0].keys.shape[2]
        slack = (width - self.width) - fresh  # (R,) padding at the right end of each row
        places = (torch.arange(width, device=fresh.device)[None, :] - slack[:, None]) % width  # (R, P + T)
        layers = tuple((_along(layer.keys, places), _along(layer.values, places)) for layer in cache.layers)
        return Past(layers, self.lengths + fresh)

    @classmethod
    def stack(cls, parts: Sequence["Past"]) -> "Past":
        """All rows of the parts, one below the other."""
        width = max(part.width for part in parts)

        def widened(tensor: Tensor) -> Tensor:
            return pad(tensor, (0, 0, width - tensor.shape[2], 0))

        layers = tuple(
            (torch.cat([widened(k) for k, _ in same]), torch.cat([widened(v) for _, v in same]))
            for same in zip(*(part.layers for part in parts), strict=True)
        )
        return cls(layers, torch.cat([part.lengths for part in parts]))


class _Lent(DynamicLayer):
    """Keys and values that a layer reads, its own behind them, and does not keep."""

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        """Both, with the new ones behind them."""
        keys, values = self.keys, self.values
        assert keys is not None and values is not None
        return torch.cat([keys, key_states], dim=-2), torch.cat([values, value_states], dim=-2)


def _lent(keys: Tensor, values: Tensor, keep: bool) -> DynamicLayer:
    kind: Any = DynamicLayer if keep else _Lent
    layer: DynamicLayer = kind()
    layer.lazy_initialization(keys, values)
    layer.keys, layer.values = keys, values
    return layer


def _rows(tensor: Tensor, index: Tensor, width: int) -> Tensor:
    """The rows at `index`, with their last `width` places."""
    return tensor[index.to(tensor.device), :, -width:]


def _along(tensor: Tensor, places: Tensor) -> Tensor:
    """(R, H, P, D) with the places of each row taken in a new order (R, P)."""
    index = places.to(tensor.device)[:, None, :, None].expand(-1, tensor.shape[1], -1, tensor.shape[3])
    return tensor.gather(2, index)
