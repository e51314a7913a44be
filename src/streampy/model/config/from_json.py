"""JSON as a document. What is wrong with its syntax is said in JSON's words; the rest is read as YAML, for the places.

Knows nothing of what the keys mean.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from streampy.model.config.from_yaml import read_yaml

if TYPE_CHECKING:
    from streampy.model.config.document import Document


def read_json(text: str, document: Document) -> None:
    """Fill the document; what can't be read is reported there."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        document.fail(error.lineno, error.colno, f"no JSON: {error.msg[0].lower()}{error.msg[1:]}")
    else:
        read_yaml(text.replace("\t", " "), document)  # no string holds a tab, JSON writes it as an escape
