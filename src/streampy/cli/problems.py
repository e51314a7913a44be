"""Shows what is wrong with a process: a line each, or, on a terminal, with the line of the file that it stands in.

Knows nothing of what was asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from streampy.cli.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from streampy.errors import Problem


def show_problems(problems: Sequence[Problem], file: str, stream: IO[str]) -> None:
    """Write them all, and how many there are."""
    several = count(len(problems), "problem")
    if not stream.isatty():
        stream.write("".join(f"{problem}\n" for problem in problems))
        stream.write(f"{file}: {several}\n")
        return
    from rich.console import Console  # noqa: PLC0415 - half of the time that the command takes; only where a person looks

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for problem in problems:
        _show(problem, console)
    console.print(f"{file}: [bold red]{several}[/]")


def _show(problem: Problem, console: Console) -> None:
    from rich.markup import escape  # noqa: PLC0415

    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part)
    console.print(f"[bold red]error[/] [bold]{escape(problem.path or problem.file)}[/]  [cyan]{escape(place)}[/]")
    line = _line(problem)
    if line:
        number = f"{problem.line:>5}"
        console.print(f"[cyan]{number} |[/] {escape(line)}")
        length = len(problem.path.rpartition(".")[2]) or 1
        console.print(f"[cyan]{' ' * len(number)} |[/] {' ' * (problem.column - 1)}[bold red]{'^' * length}[/]")
    console.print(f"  {escape(problem.message)}\n")


def _line(problem: Problem) -> str:
    try:
        lines = Path(problem.file).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ""
    return lines[problem.line - 1].expandtabs(1) if 0 < problem.line <= len(lines) else ""
