"""Tables, figures and one self-contained HTML page, drawn from records. Computes no results."""

from personae.report.audit_page import audit_page
from personae.report.blocks import Section
from personae.report.content import (
    Apart,
    AuditReport,
    CalibrationPoint,
    CharacterShift,
    DosePath,
    Fact,
    Grid,
    Hidden,
    InoculateReport,
    LeftOut,
    LeftOutRow,
    Placement,
    PromptRow,
    ScatterPoint,
    Telling,
    TokenAnswer,
    TokenRow,
    TraitRow,
)
from personae.report.figures import picture_svg
from personae.report.finding_words import finding_words
from personae.report.inoculate_page import inoculate_page
from personae.report.lab_content import Arm, Headline, LabReport
from personae.report.lab_page import lab_page
from personae.report.ledger_content import LedgerReport, Promise, ScoredForecast
from personae.report.ledger_page import ledger_page
from personae.report.page import page
from personae.report.study_markdown import studies_index_markdown, study_markdown
from personae.report.study_page import study_page
from personae.report.study_site import study_site
from personae.report.tables import Table, to_html, to_terminal

__all__ = [
    "Apart",
    "Arm",
    "AuditReport",
    "CalibrationPoint",
    "CharacterShift",
    "DosePath",
    "Fact",
    "Grid",
    "Headline",
    "Hidden",
    "InoculateReport",
    "LabReport",
    "LedgerReport",
    "LeftOut",
    "LeftOutRow",
    "Placement",
    "Promise",
    "PromptRow",
    "ScatterPoint",
    "ScoredForecast",
    "Section",
    "Table",
    "Telling",
    "TokenAnswer",
    "TokenRow",
    "TraitRow",
    "audit_page",
    "finding_words",
    "inoculate_page",
    "lab_page",
    "ledger_page",
    "page",
    "picture_svg",
    "studies_index_markdown",
    "study_markdown",
    "study_page",
    "study_site",
    "to_html",
    "to_terminal",
]
