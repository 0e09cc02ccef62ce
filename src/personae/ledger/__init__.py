"""The ledger: every forecast sealed before training, and every score it got after, kept for good on this machine.

    forecast.json -> Sealed -> Ledger.seal          before training
    profile.json  -> scored -> Ledger.keep          after it
    Ledger.read   -> summary -> report              were the forecasts right, and do their intervals keep their promise?

| module    | the question it answers                                       |
|-----------|---------------------------------------------------------------|
| `entries` | what is kept of a forecast, and of a score                    |
| `files`   | how the two files are read, and whether a seal is whole       |
| `alike`   | whether forecast and profile are about the same thing         |
| `scoring` | how a forecast is scored on a profile                         |
| `store`   | where it is kept, so that nothing is lost, changed or doubled |
| `summary` | what all of it says together                                  |
"""

from personae.ledger.alike import asked_of, marks
from personae.ledger.entries import Measured, Scored, Sealed, sealed, with_digest
from personae.ledger.files import read_forecast, read_profile
from personae.ledger.scoring import scored
from personae.ledger.store import Book, Kept, Ledger, ledger_file
from personae.ledger.summary import summary

__all__ = [
    "Book",
    "Kept",
    "Ledger",
    "Measured",
    "Scored",
    "Sealed",
    "asked_of",
    "ledger_file",
    "marks",
    "read_forecast",
    "read_profile",
    "scored",
    "sealed",
    "summary",
    "with_digest",
]
