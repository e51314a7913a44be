"""The JSON Schema of a configuration, for editors: completion, descriptions, and a first look at what is wrong.

It can't know what `streampy check` knows: units, their ports and settings. Every value may also be a text with
`${VARIABLE}`.
"""

from __future__ import annotations

from math import inf
from typing import Any

from streampy.model.config.keys import EXTRA, ProcessKeys
from streampy.model.config.values import LINK
from streampy.model.process import NAME


def process_schema() -> dict[str, Any]:
    """The schema of a process file."""
    schema = ProcessKeys.model_json_schema(by_alias=True)
    schema["patternProperties"] = {f"^{EXTRA}": {}}
    for key, pattern in {"units": NAME, "segments": NAME, "links": LINK}.items():
        schema["properties"][key]["propertyNames"] = {"pattern": pattern}
    plain: dict[str, Any] = _without_noise(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "StreamPy process", **plain}


def _without_noise(schema: Any) -> Any:
    """Without titles, which repeat the names, and with defaults as a person would write them."""
    if isinstance(schema, list):
        return [_without_noise(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _without_noise(one) for key, one in schema.items() if not (key == "title" and isinstance(one, str))}
    default = found.get("default")
    if default == inf:
        found["default"] = "inf"
    elif isinstance(default, dict | list):
        del found["default"]
    return found
