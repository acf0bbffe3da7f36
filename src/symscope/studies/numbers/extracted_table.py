"""The table of programs that were taken out of counting networks."""

import re

from symscope.report.tables import Records, score, seeds, table


def extracted_table(records: Records) -> str:
    """The program, whether it is Up-Down for all N, and how its variables align back."""
    rows = []
    for claim, found in records.items():
        named = re.fullmatch(r"numbers\.(\w+)\.(\w+)\.extracted\.fidelity", claim)
        if named is None or found.score is None:
            continue
        kind, arch = named.groups()
        start = f"numbers.{kind}.{arch}.extracted."
        proof = records[f"{start}proof"]
        back = [
            f"{claim.removeprefix(start).removesuffix('.iia')} {score(r)}"
            for claim, r in records.items()
            if claim.startswith(start) and claim.endswith(".iia")
        ]
        rows.append([
            arch, kind, seeds(found), f"`{found.config['text']}`", str(found.config["length"]),
            f"{found.score:.3f}", "yes" if proof.score == 1 else f"{proof.score:.2f}",
            str(found.config["agrees_to"]), "; ".join(back),
        ])  # fmt: skip
    head = ["network", "task", "seeds", "program", "length", "same as the network",
            "proven for all N", "network follows to N", "aligned back (IIA)"]  # fmt: skip
    return table(head, rows)
