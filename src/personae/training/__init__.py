"""Post-training: episodes become weights, on the field's own trainers, and inoculation of a data set before it.

Training never measures. Nothing heavy is imported until `finetune` runs.
"""

from personae.training.inoculate import arms, inoculated, neutral_prefix
from personae.training.plan import SFTPlan
from personae.training.sft import Trained, finetune

__all__ = ["SFTPlan", "Trained", "arms", "finetune", "inoculated", "neutral_prefix"]
