"""A plan as JSON, for whoever reads it by a program. Knows nothing of what is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from streampy.model.describe import describe

if TYPE_CHECKING:
    from streampy.model.plan import Plan


def write_json(plan: Plan) -> str:
    """The units with their ports, pipes, links and workers, in the order in which items come to them."""
    return json.dumps(describe(plan), indent=2, ensure_ascii=False) + "\n"
