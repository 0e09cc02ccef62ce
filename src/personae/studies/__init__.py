"""The laboratory's studies: each declares its arms and reads its result off the workflows."""

STUDIES = ("headline", "transfer")
