"""Post-training: episodes become weights, on the field's own trainers, and inoculation of a data set before it.

Training never measures. Nothing heavy is imported until a training runs.
"""

from personae.training.course import Trained
from personae.training.dpo import prefer
from personae.training.grpo import reinforce
from personae.training.inoculate import inoculated
from personae.training.plan import DPOPlan, GRPOPlan, Plan, SFTPlan
from personae.training.sft import finetune

__all__ = [
    "DPOPlan",
    "GRPOPlan",
    "Plan",
    "SFTPlan",
    "Trained",
    "finetune",
    "inoculated",
    "prefer",
    "reinforce",
]
