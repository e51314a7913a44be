"""The sessions of a developer; `./dev nox -s NAME` runs one in the environment that uv.lock describes."""

import nox

nox.options.default_venv_backend = "none"  # uv has made the environment: one, locked, for all sessions


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, and which room may import which."""
    session.run("ruff", "check", "--quiet")
    session.run("ruff", "format", "--check", "--quiet")
    session.run("mypy")
    session.run("lint-imports", "--no-cache", silent=True)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests that take seconds, the snippets of the docs among them; first those that can share the machine."""
    nothing_to_run = (0, 5)
    shared = ("-n", "2", "--dist", "loadfile", "-m", "not long and not alone")
    session.run("pytest", *shared, *session.posargs, success_codes=nothing_to_run)
    session.run("pytest", "-m", "alone and not long", *session.posargs, success_codes=nothing_to_run)


@nox.session
def long(session: nox.Session) -> None:
    """The tests that take minutes."""
    session.run("pytest", "-m", "long", "--timeout", "1200", *session.posargs)


@nox.session
def kills(session: nox.Session) -> None:
    """Real SIGKILLs at random moments: 200, or as `-- --count 1000` says; `-- --seed N` repeats a round."""
    session.run("python", "-m", "tests.run.places.kills", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Random faults between segments: 100, or as `-- --count 1000` says; `-- --seed N` repeats a round."""
    session.run("python", "-m", "tests.run.segments.faults", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Twelve units in a row, beside what one writes by hand."""
    session.run("python", "benchmarks/chain.py", *session.posargs)


@nox.session
def watched(session: nox.Session) -> None:
    """Twelve units in a row, with nobody watching, scraped each second, and traced: what that costs."""
    session.run("python", "benchmarks/watched.py", *session.posargs)


@nox.session
def pool(session: nox.Session) -> None:
    """A pool of workers under a square wave of load: how soon they follow."""
    session.run("python", "benchmarks/pool.py", *session.posargs)


@nox.session
def places(session: nox.Session) -> None:
    """Units in OS processes: latency, rate and cost, beside what one writes by hand, and the floor."""
    session.run("python", "benchmarks/places.py", *session.posargs)


@nox.session
def links(session: nox.Session) -> None:
    """Links between segments, beside a bare socket, pyzmq and gRPC; `-- --quick` only shows that it works."""
    session.run("python", "benchmarks/links.py", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """StreamPy beside what one would pick instead, each in an environment of its own: `-- --full` takes all of them."""
    session.run("python", "benchmarks/peers.py", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """A graph in which everything happens at once, for so long as `-- --for 1h` says: nothing may grow."""
    session.run("python", "benchmarks/soak.py", *session.posargs)


@nox.session
def example(session: nox.Session) -> None:
    """The faces example, beside the same code as one plain loop."""
    session.run("python", "-m", "examples.faces", "--compare", *session.posargs)


@nox.session
def two(session: nox.Session) -> None:
    """The faces example in two segments, of which parts are killed; `-- --postgres` with the people on a server."""
    session.run("python", "-m", "examples.faces_two", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site of docs/, into build/docs; its pictures and tables are brought up to date first."""
    session.run("python", "docs/generate.py")
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-n", "docs", "build/docs")


@nox.session
def build(session: nox.Session) -> None:
    """The wheel and the source distribution, into dist/."""
    session.run("uv", "build", external=True)
