"""The ledger as one SQLite file: `$PERSONAE_DATA/ledger.sqlite`, or in `personae` in the user's data folder.

Rows are added, never changed or removed: triggers refuse both. A forecast sealed twice, or scored twice on one profile,
is one row, and the first stands: nobody scores a forecast again without the traits that it got wrong. Many processes
may write at once, each in one short transaction: write-ahead log, a wait for whoever is writing, and a full sync, so
what a killed process had written stays and what it had not is not there in part.
The write-ahead log needs a disk of this machine: where the home folder lies on a network, let `PERSONAE_DATA` name
another.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from personae.errors import BadInput, RunFailed
from personae.ledger.entries import Scored, Sealed
from personae.ledger.rows import forecast_of, forecast_row, score_of, score_row

SCHEMA = 1
WAIT = 30.0  # seconds for whoever is writing
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
READ_ONLY = "mode=ro"
COLUMNS = {
    "forecasts": (
        "digest TEXT PRIMARY KEY, sealed_at REAL NOT NULL, model TEXT NOT NULL, model_digest TEXT NOT NULL, "
        "data TEXT NOT NULL, against TEXT, data_digest TEXT NOT NULL, personas TEXT NOT NULL, predictor TEXT NOT NULL, "
        "method TEXT NOT NULL, dose REAL NOT NULL, traits TEXT NOT NULL"
    ),
    "scores": (
        "forecast TEXT NOT NULL REFERENCES forecasts (digest), profile TEXT NOT NULL, scored_at REAL NOT NULL, "
        "measured TEXT NOT NULL, trained TEXT NOT NULL, n INTEGER NOT NULL, pearson REAL, spearman REAL, slope REAL, "
        "coverage REAL, interval_score REAL, PRIMARY KEY (forecast, profile)"
    ),
}


def ledger_file() -> Path:
    """Where the ledger lies; it may not be there yet."""
    if own := os.environ.get("PERSONAE_DATA"):
        return Path(own) / "ledger.sqlite"
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return home / "personae" / "ledger.sqlite"


@dataclass(frozen=True)
class Kept:
    """A forecast and one score of it, as they stand in the ledger; `first` is when it was first scored."""

    forecast: Sealed
    score: Scored
    first: float

    @property
    def ahead(self) -> bool:
        """Whether this ledger saw the forecast before any score of it.

        To measure once more what was trained already makes no forecast of it.
        """
        return self.forecast.sealed_at < self.first


@dataclass(frozen=True)
class Book:
    """All that a ledger holds: every forecast, and those of them that were scored with each of their scores."""

    forecasts: tuple[Sealed, ...]
    scored: tuple[Kept, ...]


@dataclass(frozen=True)
class Ledger:
    """The ledger in the file `path`, which is made when something is first entered."""

    path: Path

    def seal(self, forecast: Sealed) -> bool:
        """Enter a forecast; whether it was new. Raises `RunFailed` where the ledger cannot be written."""
        with self._writing() as connection:
            return _enter(connection, "forecasts", forecast_row(forecast))

    def keep(self, forecast: Sealed, score: Scored) -> Kept:
        """Enter a score of `forecast`, and the forecast if it is not there; what now stands, which may be older.

        A forecast that enters with its score counts as sealed at that time, whatever it says of itself.
        Raises `RunFailed` where the ledger cannot be written.
        """
        with self._writing() as connection:
            seen = replace(forecast, sealed_at=max(forecast.sealed_at, score.scored_at))
            _enter(connection, "forecasts", forecast_row(seen))
            _enter(connection, "scores", score_row(score))
            key = (score.forecast, score.profile)
            found = connection.execute("SELECT * FROM scores WHERE forecast = ? AND profile = ?", key).fetchone()
            stands = connection.execute("SELECT * FROM forecasts WHERE digest = ?", key[:1]).fetchone()
            first = connection.execute("SELECT MIN(scored_at) FROM scores WHERE forecast = ?", key[:1]).fetchone()
            return Kept(forecast_of(stands), score_of(found), first[0])

    def read(self) -> Book:
        """All that was entered, in that order; an empty book where there is no ledger yet."""
        if not self.path.exists():
            return Book((), ())
        with self._told("read"):
            how = self._read_only()
            try:
                return self._book(how)
            except sqlite3.DatabaseError:
                if how == READ_ONLY:
                    raise
                return self._book(self._read_only())  # somebody else may have written meanwhile

    def _book(self, how: str) -> Book:
        """What is there, opened in this way."""
        with closing(self._connect(f"{self.path.absolute().as_uri()}?{how}")) as connection:
            connection.execute("BEGIN")  # both tables as they stood at one moment, whoever writes meanwhile
            if not _check_schema(connection, self.path):
                return Book((), ())
            forecasts = connection.execute("SELECT * FROM forecasts ORDER BY sealed_at, digest").fetchall()
            scores = connection.execute("SELECT * FROM scores ORDER BY scored_at, forecast, profile").fetchall()
        sealed = {row["digest"]: forecast_of(row) for row in forecasts}
        first: dict[str, float] = {}
        for row in scores:
            first.setdefault(row["forecast"], row["scored_at"])
        kept = tuple(Kept(sealed[row["forecast"]], score_of(row), first[row["forecast"]]) for row in scores)
        return Book(tuple(sealed.values()), kept)

    def _read_only(self) -> str:
        """How to open it for reading: where this user cannot write beside it and no log lies there, as it stands."""
        alone = not os.access(self.path.parent, os.W_OK) and not Path(f"{self.path}-wal").exists()
        return f"{READ_ONLY}&immutable=1" if alone else READ_ONLY

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._told("written"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect(self.path.absolute().as_uri())) as connection:
                _prepare(connection, self.path)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")

    def _connect(self, address: str) -> sqlite3.Connection:
        connection = sqlite3.connect(address, timeout=WAIT, isolation_level=None, uri=True)
        connection.row_factory = sqlite3.Row
        return connection

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Say in one line why the ledger could not be `what`."""
        remedy = "PERSONAE_DATA names another folder for it"
        try:
            yield
        except (sqlite3.OperationalError, OSError) as problem:
            said = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
            raise RunFailed(f"{self.path}: the ledger cannot be {what} ({said}); {remedy}") from problem
        except (sqlite3.DatabaseError, ValueError, TypeError, LookupError, AttributeError) as problem:
            raise BadInput(
                f"is no ledger ({problem})", file=self.path, remedy=f"move it away, or {remedy}"
            ) from problem


# -- the tables ------------------------------------------------------------------------------------------------------
def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables where they are missing."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    if _check_schema(connection, path) == SCHEMA:
        return
    _log_ahead(connection)
    connection.execute("BEGIN IMMEDIATE")
    for table, columns in COLUMNS.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
        for change in ("UPDATE", "DELETE"):
            refuses = "SELECT RAISE(ABORT, 'the ledger is only added to')"
            connection.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_{change.lower()} BEFORE {change} ON {table} BEGIN {refuses}; END"
            )
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def _check_schema(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables, 0 where there are none; `BadInput` where a newer program made them."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA:
        raise BadInput(f"was written by a newer version of this program ({version})", file=path, remedy="update it")
    return version


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not itself wait for others who are switching."""
    until = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF not in BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _enter(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> bool:
    """Add a row; whether it was new."""
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    command = f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - no foreign text
    return connection.execute(command, tuple(row.values())).rowcount == 1
