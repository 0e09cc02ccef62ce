"""The main job as short functions that read like the pipeline, in rooms; which may look into which: pyproject.toml."""
