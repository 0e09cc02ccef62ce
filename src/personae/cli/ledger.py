"""`personae ledger`: all forecasts that were ever scored on this machine, and whether their intervals hold."""

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.face import Face, Json, Quiet, named_path

EXAMPLE = "personae ledger --out ledger.html"


def command(
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", metavar="M", help="Only forecasts for this model.")
    ] = None,
    trait: Annotated[list[str] | None, typer.Option("--trait", metavar="TRAIT", help="Only this trait.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", parser=named_path, help="Also write one HTML page with both pictures."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Every scored forecast: correlation, slope, coverage, interval score; and the calibration curve of all of them.

    `run`, `audit`, `filter` and `lab` seal each forecast in the ledger before training; `run`, `lab` and `score` enter
    what it came to. The ledger is one file in the user's data folder, and only ever added to.
    """
    with Face(json=json, quiet=quiet) as face:
        from personae.ledger import Ledger, ledger_file, summary
        from personae.records.files import write_text
        from personae.report import ledger_page
        from personae.report.ledger_tables import empty_words, ledger_words

        found = summary(Ledger(ledger_file()).read(), tuple(model or ()), tuple(trait or ()))
        if not found.scored:
            face.result(found, empty_words(found))
            face.warn(f"no forecast to draw, so {out} was not written" if out else "")
            return
        if out is not None:
            write_text(out, ledger_page(found))
        face.result(found, ledger_words(found))
        if out is not None:
            face.say(f"the page: {out}")
