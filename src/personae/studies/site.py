"""Several studies, one linked site of them, and their pages in the docs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from personae.records import Finding
from personae.records.files import digest, write_text
from personae.report import picture_svg, studies_index_markdown, study_markdown, study_site
from personae.studies import STUDIES, find
from personae.studies.kept_finding import FINDING, read_finding
from personae.studies.request import StudyRequest

RUNS = Path("runs")


@dataclass(frozen=True)
class Site:
    """What the studies of one call found, and the page that leads to theirs and to all others in the folder."""

    findings: tuple[Finding, ...]
    page: Path


def site_folder(request: StudyRequest) -> Path:
    """Where a site lies: one for each size, seed, number of seeds and model, unless it is named."""
    asked = [request.size, request.seed, request.seeds, request.model]
    return request.out or RUNS / f"studies-{digest(asked)[:8]}"


def run_studies(names: Sequence[str], request: StudyRequest) -> Site:
    """Run the studies called `names`, each in its own folder of the site's; finished trainings are not done again.

    The page also leads to what other calls found in that folder, in the order of `STUDIES`. Raises `BadInput`, before
    any work, where one of these cannot be read.
    """
    folder, findings = site_folder(request), []
    before = _lying_there(folder, names)
    for name in names:
        with request.watch(name, "trainings") as progress:
            found = find(name).run(replace(request, out=folder / name, progress=progress, in_site=True))
        if found.finding is not None:
            findings.append(found.finding)
    every = before | {finding.study: finding for finding in findings}
    listed = [name for name in dict.fromkeys((*STUDIES, *every)) if name in every]
    write_text(folder / "index.html", study_site([every[name] for name in listed]))
    return Site(tuple(findings), folder / "index.html")


def _lying_there(folder: Path, names: Sequence[str]) -> dict[str, Finding]:
    """{study: what was found} by the studies in the folder that are not among `names`."""
    files = [file for file in sorted(folder.glob(f"*/{FINDING}")) if file.parent.name not in names]
    return {file.parent.name: read_finding(file) for file in files}


def write_docs(findings: Sequence[Finding], folder: Path) -> None:
    """A page for each finding in Markdown, with its pictures beside it, and one that lists all that there are.

    What was listed there before and is not among the findings stays listed.
    """
    for finding in findings:
        pictures = {picture_file(finding, i): one for i, one in enumerate((finding.picture, *finding.more))}
        for file, picture in pictures.items():
            write_text(folder / file, picture_svg(picture))
        write_text(folder / f"{finding.study}.md", study_markdown(finding, tuple(pictures)))
    index = folder / "README.md"
    before = index.read_text(encoding="utf-8") if index.exists() else ""
    write_text(index, studies_index_markdown(findings, before, STUDIES))


def picture_file(finding: Finding, number: int) -> str:
    """Where a picture of a finding stands beside its page, counted from 0, the main one."""
    return f"{finding.study}-{number + 1}.svg" if number else f"{finding.study}.svg"
