"""Whatever is sent to the HTTP API, it answers as its OpenAPI document says."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from tests.control.test_http import served  # noqa: F401 - a fixture
from tests.control.waiting import all_running

from streampy.run.control.client import find

pytest.importorskip("fastapi")
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(find_spec("schemathesis") is None, reason="needs schemathesis"),
]
TOKEN = "secret"  # noqa: S105
SLOW = "/(profile|peek)$"
"""Verbs that take as long as they are told."""
ENDS = r"^/api/(processes|segments)/[^/]+/(stop|drain|kill)$"
"""Verbs after which there would be nothing to ask: they are asked of processes that are not there."""


def test_whatever_is_sent_is_answered_as_the_document_says(started, served, tmp_path):  # noqa: F811 - the fixture
    started("run", "live.yaml")
    (segment,) = all_running()
    client = served("--token", TOKEN)
    told = client.get("/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    named = with_names(told, process="live", segment=segment.head["id"], unit="scale")
    goes_on = ["--exclude-path-regex", ENDS]
    look_for_mistakes(client, told, tmp_path, *goes_on)
    look_for_mistakes(client, named, tmp_path, "--exclude-path-regex", f"{ENDS}|{SLOW}")
    assert ["live"] == [one.name for one in find()]
    look_for_mistakes(client, told, tmp_path, "--include-path-regex", ENDS)
    assert client.program.poll() is None


def with_names(document, **names):
    """The same with names that lead somewhere."""
    document = json.loads(json.dumps(document))
    for verbs in document["paths"].values():
        for operation in verbs.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in names:
                    parameter["schema"]["enum"] = [names[parameter["name"]]]
    return document


def look_for_mistakes(client, document, folder, *options):
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(file), "--url", str(client.base_url)]
    command += ["--header", f"Authorization: Bearer {TOKEN}", "--exclude-path", "/api/events", *options]
    command += [
        "--max-examples",
        "8",
        "--seed",
        "1",
        "--phases",
        "coverage,fuzzing",
        "--suppress-health-check",
        "all",
        "--request-timeout",
        "30",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout[-20_000:]
