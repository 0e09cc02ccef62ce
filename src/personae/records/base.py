"""What every noun read from a file has in common: frozen, and validated at the border."""

from pydantic import BaseModel, ConfigDict


class Noun(BaseModel):
    """A value: equal by its fields, never changed, with no field it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
