"""Writes what is generated in docs/: pictures of processes, tables of keys and commands, which API and tests there are.

`./dev nox -s docs` runs it; with `--check` it only names what is out of date. A table stands between
`<!-- NAME: written by docs/generate.py -->` and `<!-- end -->`; a picture `NAME.svg` shows the `NAME.yaml` of a page,
or of an example, unless `benchmarks/NAME.py` draws it. Knows nothing of what the pages say around them.
"""

from __future__ import annotations

import argparse
import inspect
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from streampy.cli import main as command
from streampy.cli.exits import Exit
from streampy.model.config.schema import process_schema

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
_FILE = re.compile(r"^```\w+\n(# (\S+\.(?:py|yaml))\n.*?)^```$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"!\[[^]]*\]\(([^)]*?pictures/(\w+)\.svg)\)")
_TABLE = re.compile(r"(<!-- ([^:]+): written by docs/generate\.py -->\n).*?(<!-- end -->\n)", re.DOTALL)
_WORDS = {
    "array": "a list of them",
    "boolean": "`true`, `false`",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
}
_TEXTS = {"5ms": "a duration", "64MB": "a size", "10/s": "a rate"}
"""By an example that the schema gives."""
Row = tuple[str, ...]


def main() -> int:
    """Bring everything up to date, or with `--check` say what isn't."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if something is out of date")
    check = parser.parse_args().check
    stale = {path: text for path, text in {**_pictures(), **_tables()}.items() if not _is(path, text)}
    for path, text in stale.items():
        print(f"{path.relative_to(ROOT)} is out of date" if check else f"{path.relative_to(ROOT)} is written")
        if not check:
            path.write_text(text)
    return int(check and bool(stale))


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def _pictures() -> dict[Path, str]:
    """Each picture that a page shows, drawn by `streampy show`."""
    drawn: dict[Path, str] = {}
    for page in PAGES:
        text = page.read_text()
        for target, name in _PICTURE.findall(text):
            if not (ROOT / "benchmarks" / f"{name}.py").exists():  # what was measured differs from run to run
                drawn[(page.parent / target).resolve()] = _draw(name, text)
    return drawn


def _draw(name: str, page: str) -> str:
    files = {file: text for text, file in _FILE.findall(page)}
    if f"{name}.yaml" not in files:
        (example,) = ROOT.glob(f"examples/*/{name}.yaml")
        return _show(example, ROOT)
    with TemporaryDirectory() as folder:
        for file, text in files.items():
            (Path(folder) / file).write_text(text)
        return _show(Path(folder) / f"{name}.yaml", Path(folder))


def _show(file: Path, folder: Path) -> str:
    words = [sys.executable, "-m", "streampy", "show", str(file), "--svg"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own


def _tables() -> dict[Path, str]:
    """Each page that has tables, with these up to date."""
    return {page: _TABLE.sub(_table, text) for page in PAGES if _TABLE.search(text := page.read_text())}


def _table(found: re.Match[str]) -> str:
    kind, _, name = found[2].partition(" of ")
    makers = {
        "verbs": _verbs,
        "options": _options,
        "exit codes": _exit_codes,
        "keys": lambda: _keys(process_schema()),
        "unit keys": _unit_keys,
        "segment keys": lambda: _keys(process_schema()["$defs"]["SegmentKeys"]),
        "link keys": lambda: _keys(process_schema()["$defs"]["LinkKeys"]),
        "tls keys": lambda: _keys(process_schema()["$defs"]["TlsKeys"]),
        "units": _units,
    }
    makers_of = {"names": _names, "tests": _tests}
    return f"{found[1]}\n{makers_of[kind](name) if name else makers[kind]()}\n{found[3]}"


def _rows(titles: Row, rows: list[Row]) -> str:
    lines = [titles, ("---",) * len(titles), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def _unit_keys() -> str:
    """The keys of a unit, and of each mapping among them."""
    schemas = process_schema()["$defs"]
    unit = schemas["UnitKeys"]
    inner = {key: name for key, one in unit["properties"].items() for name in _refers_to(one)}
    sections = [
        f"### Keys of `{key}`\n\n{schemas[name]['description']}\n\n{_keys(schemas[name])}"
        for key, name in inner.items()
    ]
    return "\n".join([_keys(unit), *sections])


def _refers_to(schema: dict[str, Any]) -> list[str]:
    refs = [one["$ref"] for one in [schema, *schema.get("anyOf", [])] if "$ref" in one]
    return [ref.rpartition("/")[2] for ref in refs]


def _keys(schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = [
        (f"`{key}`", _takes(one, key), "must be given" if key in needed else _default(one), one.get("description", ""))
        for key, one in schema["properties"].items()
    ]
    return _rows(("key", "takes", "default", "meaning"), rows)


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    if isinstance(value, float):
        value = f"{value:g}"
    return "" if value in (None, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _takes(schema: dict[str, Any], key: str) -> str:
    """What a key takes, in words; that any value may be a variable is told elsewhere, once."""
    kinds = [_kind(one, key) for one in schema.get("anyOf", [schema])]
    if {*_TEXTS.values()} & set(kinds):
        kinds = [kind for kind in kinds if not kind.startswith("a number")]
    return ", or ".join(dict.fromkeys(kind for kind in kinds if kind))


def _kind(schema: dict[str, Any], key: str) -> str:
    if "anyOf" in schema:
        return _takes(schema, key)
    if "$ref" in schema:
        return f"[a mapping](#keys-of-{key})"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("type") == "string":
        return _text(schema)
    if schema.get("items", {}).get("type") == "object":
        return "a list of mappings"
    least = f", at least {schema['minimum']}" if "minimum" in schema else ""
    return _WORDS.get(schema.get("type", ""), "") + least


def _text(schema: dict[str, Any]) -> str:
    examples = schema.get("examples", [])
    if "${" in schema.get("pattern", "").replace("\\", ""):
        return ""
    return next((kind for example, kind in _TEXTS.items() if example in examples), "text")


def _verbs() -> str:
    return _rows(("verb", "what it does"), [(f"`{verb}`", text) for verb, text in command.VERBS.items()])


def _options() -> str:
    return "\n".join(f"### `streampy {verb}`\n\n{_options_of(verb)}" for verb in command.VERBS)


def _options_of(verb: str) -> str:
    actions = command._parser([verb])._subparsers._group_actions[0].choices[verb]._actions
    rows = [
        (_option(action), str(action.help))
        for action in actions
        if action.dest != "help" and action.help != argparse.SUPPRESS
    ]
    return _rows(("option", "meaning"), rows) if rows else "No options.\n"


def _option(action: argparse.Action) -> str:
    names = ", ".join(action.option_strings)
    takes = "" if action.nargs == 0 else str(action.metavar or action.dest)
    more = " ..." if action.nargs == "+" else ""
    return f"`{' '.join(filter(None, (names, takes)))}{more}`"


def _exit_codes() -> str:
    return _rows(("code", "name", "when"), [(str(code.value), code.name, code.meaning) for code in Exit])


def _units() -> str:
    """A section for each module that has units with short names."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["streampy.units"]
    modules = sorted({point.partition(":")[0] for point in points.values()})
    return "\n".join(f"## `{module}`\n\n{_names(module)}" for module in modules)


def _names(module: str) -> str:
    """What Sphinx is to take from the docstrings of a module: the names in its `__all__`, or else all public ones."""
    names: list[str] = getattr(import_module(module), "__all__", [])
    lines = [f".. automodule:: {module}", *([] if names else ["   :members:", "   :exclude-members: start, stop"])]
    for name in names:
        lines += _described(name, getattr(import_module(module), name))
    return "\n".join(["```{eval-rst}", *lines, "```", ""])


def _described(name: str, value: object) -> list[str]:
    if not inspect.isclass(value):
        return [f".. autofunction:: {name}"]
    kind = "exception" if issubclass(value, BaseException) else "class"
    return [f".. auto{kind}:: {name}", "   :members:", "   :exclude-members: start, stop"]


def _tests(rule: str) -> str:
    """The tests that bear the number of a rule of failure."""
    named = re.compile(rf"^def (test_{rule.lower()}_\w+)\(", re.MULTILINE)
    files = sorted(ROOT.glob("tests/**/test_*.py"))
    found = [(name, file.relative_to(ROOT)) for file in files for name in named.findall(file.read_text())]
    return "".join(f"- [`{name}`](../{file})\n" for name, file in found)


if __name__ == "__main__":
    raise SystemExit(main())
