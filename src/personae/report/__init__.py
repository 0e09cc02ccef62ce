"""Tables, figures and one self-contained HTML page, drawn from records. Computes no results."""

from personae.report.audit_page import audit_page
from personae.report.blocks import Section
from personae.report.content import (
    Arm,
    AuditReport,
    CalibrationPoint,
    CharacterShift,
    DosePath,
    Fact,
    Grid,
    Headline,
    Hidden,
    LabReport,
    ScatterPoint,
    Telling,
    TraitRow,
)
from personae.report.lab_page import lab_page
from personae.report.page import page
from personae.report.tables import Table, to_html, to_terminal

__all__ = [
    "Arm",
    "AuditReport",
    "CalibrationPoint",
    "CharacterShift",
    "DosePath",
    "Fact",
    "Grid",
    "Headline",
    "Hidden",
    "LabReport",
    "ScatterPoint",
    "Section",
    "Table",
    "Telling",
    "TraitRow",
    "audit_page",
    "lab_page",
    "page",
    "to_html",
    "to_terminal",
]
