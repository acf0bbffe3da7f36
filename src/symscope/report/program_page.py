"""The page of a run from which a program was extracted."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symscope.evidence import Evidence, SymscopeError
from symscope.models.load import load_network
from symscope.models.real_rnn import RealRNN
from symscope.programs.reading import program_in
from symscope.report.found import Found, found_in, headline, lead, routes
from symscope.report.pictures import Picture, pictures
from symscope.report.provenance import provenance
from symscope.report.render import rendered
from symscope.tasks import algorithm


def extraction(evidence: Sequence[Evidence]) -> bool:
    """Whether a program was looked for in this run."""
    return any(e.unit == "solved" for e in evidence)


def program_page(run: Path, config: Mapping[str, Any], evidence: Sequence[Evidence]) -> str:
    """The page as text: the sentence, the program, the routes, the proof, the pictures."""
    found = found_in(evidence)
    if found is None:
        raise SymscopeError(f"{run / 'evidence.json'}: no claim programs.TASK.solved is in it")
    training = next((e for e in evidence if e.unit == "accuracy"), None)
    return rendered(
        "program.html", config=config, headline=headline(found), training=training,
        shown=parts(found, _pictures(run, found)), reproduce=provenance(config),
    )  # fmt: skip


def parts(found: Found, drawn: Sequence[Picture]) -> dict[str, Any]:
    """What the templates show of one extraction; its drawings are marked as safe to include."""
    from markupsafe import Markup

    return {
        "found": found,
        "lead": lead(found),
        "routes": routes(found),
        "pictures": [(p, Markup(p.svg)) for p in drawn],
    }


def _pictures(run: Path, found: Found) -> list[Picture]:
    """The pictures, or one without a drawing that says why there are none."""
    try:
        module, _ = load_network(run / "network.safetensors")
        if not isinstance(module, RealRNN):
            raise SymscopeError(f"a {type(module).__name__} reads no numbers")
        task = algorithm(found.task)
        program = program_in(found.source) if found.source else None
        inputs = task.program.inputs if program is None else program.inputs
        return pictures(module, inputs, task.length, program)
    except SymscopeError as error:
        return [Picture("none", "No pictures.", str(error))]
