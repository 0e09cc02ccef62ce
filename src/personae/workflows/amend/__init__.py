"""A file made to say less: rows left out, or asked for by a prompt."""
