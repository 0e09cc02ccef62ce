"""Personae: which character does a fine-tuning file select, and what else will change with it?"""

__version__ = "0.1.0"
