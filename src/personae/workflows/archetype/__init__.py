"""A character described, told in documents, and what midtraining on them leaves."""
