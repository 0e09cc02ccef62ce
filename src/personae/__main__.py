"""`python -m personae` is `personae`."""

from personae.cli.main import entry

if __name__ == "__main__":
    entry()
