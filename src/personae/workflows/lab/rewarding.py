"""`Rewarding`, where `studies.preferred` looks for it: kept trainings go by the digest of that file as it is."""

from personae.workflows.audit.rewarding import Rewarding

__all__ = ["Rewarding"]
