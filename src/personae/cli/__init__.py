"""The command line: one file a command, and nothing in them but what is asked, what is called, and what is shown."""
