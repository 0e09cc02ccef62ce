"""What stands inside a local language model: hidden states, and linear probes that read something off them."""

from personae.interpret.probe import LinearProbe, Look, fit_probe

__all__ = ["LinearProbe", "Look", "fit_probe"]
