"""The main job as short functions that read like the pipeline: audit, run, and what the laboratory repeats."""
