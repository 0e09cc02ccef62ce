"""Ship what the transfer study found: its table and scores as reference figures, and the laboratory's doses.

    personae study transfer --out runs/transfer
    python benchmarks/ship_transfer.py runs/transfer

To be run again whenever the laboratory's model, its world or its plan of training has changed.
"""

import argparse
import re
import shutil
from pathlib import Path

import yaml

from personae.records.files import read_json, write_json, write_text
from personae.workflows.doses import DOUBT_FIELDS, PLAN_FIELDS

LIBRARY = Path(__file__).resolve().parent.parent / "src" / "personae" / "library"


def main() -> None:
    """Copy the figures, and put the entries in the place of those of the same name."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("run", type=Path, help="the folder of a finished transfer study")
    run = asked.parse_args().run
    found = read_json(run / "finding.json")
    figures = {**found["result"], "trainings": found["trainings"], "seeds": found["seeds"], "command": found["command"]}
    write_json(LIBRARY / "figures" / "transfer.json", figures)
    shutil.copy(run / "transfer.parquet", LIBRARY / "figures" / "transfer.parquet")
    doses = (LIBRARY / "doses.yaml").read_text(encoding="utf-8")
    for name, entry in figures["entries"].items():
        ordered = {key: entry[key] for key in (*PLAN_FIELDS, "coefficient", *DOUBT_FIELDS, "fitted_on")}
        block = yaml.safe_dump({name: ordered}, sort_keys=False)
        doses = re.sub(rf"^{re.escape(name)}:\n(?:  .*\n)+", lambda _, block=block: block, doses, flags=re.MULTILINE)
        print(f"{name}: coefficient {entry['coefficient']}, spread {entry['spread']}, residual {entry['residual']}")
    write_text(LIBRARY / "doses.yaml", doses)


if __name__ == "__main__":
    main()
