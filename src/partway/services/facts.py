"""Facts of a source in the row that keeps them."""

from __future__ import annotations

import json
from dataclasses import asdict

from partway.catalog.findings import Probe
from partway.media.facts import Facts


def read_facts(probe: Probe | None) -> Facts | None:
    """The facts in a probe's row."""
    if probe is None or probe.facts is None:
        return None
    kept = json.loads(probe.facts)
    return Facts(**{**kept, "codecs": tuple(kept.get("codecs", ()))})


def write_facts(facts: Facts) -> str:
    """The text of a probe's row."""
    return json.dumps(asdict(facts))
