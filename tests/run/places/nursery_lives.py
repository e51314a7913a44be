"""What the children of a nursery do in these tests; they import it as a user's module."""

# ruff: noqa: T201 - what is printed is what is tested

from __future__ import annotations

import atexit
import ctypes
import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import warnings
from contextlib import closing
from importlib import import_module

ENDLESS = 3600.0


def tell(file, value):
    os.write(file, json.dumps(value).encode())


def leave(file):
    tell(file, "left")


def raise_error(_file):
    raise ValueError("of the user")


def exit_with_3(_file):
    sys.exit(3)


def exit_with_words(_file):
    sys.exit("it is over")


def crash(_file):
    ctypes.string_at(0)


def kill_itself(file):
    print("out: the last")
    sys.stderr.write("err: the last\nwithout an end")
    sys.stderr.flush()
    logging.getLogger("lives").error("log: the last")
    os.kill(os.getpid(), signal.SIGKILL)


def hang(file):
    """Tell that it lives, then wait until the socket is closed on the other side."""
    tell(file, os.getpid())
    threading.Event().wait(ENDLESS)


def live_until_told(file):
    tell(file, os.getpid())
    with closing(socket.socket(fileno=os.dup(file))) as end:
        end.recv(1)
    tell(file, "told")


def be_busy(file):
    """One call in C that holds the GIL for minutes."""
    tell(file, os.getpid())
    sum(range(10**12))


def inherited():
    """The files that a program has which is started without care; 3 is the folder that it lists."""
    reading, writing = os.pipe()
    standard_output = [(os.POSIX_SPAWN_DUP2, writing, 1)]
    pid = os.posix_spawn("/bin/ls", ["ls", "/proc/self/fd"], os.environ, file_actions=standard_output)
    os.close(writing)
    os.waitpid(pid, 0)
    told = os.read(reading, 1000).decode().split()
    os.close(reading)
    return told


def describe(file):
    tell(
        file,
        {
            "argv": sys.argv,
            "path": sys.path,
            "folder": os.getcwd(),  # noqa: PTH109
            "environ": dict(os.environ),
            "cpus": sorted(os.sched_getaffinity(0)),
            "comm": open("/proc/self/comm").read().strip(),  # noqa: SIM115, PTH123
            "numpy": "numpy" in sys.modules,
            "stdin": os.readlink("/proc/self/fd/0"),  # noqa: PTH115
            "files": sorted(os.listdir("/proc/self/fd"), key=int),  # noqa: PTH208
            "inherited": inherited(),
        },
    )


def draw(file):
    numpy = import_module("numpy")
    tell(file, [random.random(), float(numpy.random.rand())])  # noqa: S311 - no secrets


def multiply(file):
    ones = import_module("numpy").ones((500, 500))
    tell(file, float((ones @ ones).sum()))


def terminate_others(file):
    """Programs and forks that are started here can be terminated, though this OS process can't."""
    program = subprocess.Popen(["sleep", str(ENDLESS)])
    program.terminate()
    forked = os.fork()
    if forked == 0:
        signal.pause()
    os.kill(forked, signal.SIGTERM)
    _, status = os.waitpid(forked, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)
    tell(file, [program.wait(), os.waitstatus_to_exitcode(status)])


def leave_one_behind(file):
    """A program that goes on and holds stdout and stderr."""
    tell(file, subprocess.Popen(["sleep", str(ENDLESS)]).pid)


def end_in_order(file):
    atexit.register(tell, file, "at exit")
    thread = threading.Thread(target=lambda: (threading.Event().wait(0.05), tell(file, "thread")))
    thread.start()


def speak_everywhere(_file):
    print("as Python")
    sys.stderr.write("to stderr\n")
    os.write(1, b"as C\n")
    subprocess.run(["echo", "as another program"], check=True)
    print("not ended", end="")


def print_oddities(_file):
    print("ümlaut and \udcff")
    os.write(1, b"no \xff utf-8\n")


def print_a_long_line(_file):
    print("x" * 200_000)


def flood(file):
    tell(file, "begins")
    for number in range(10**9):
        print("water", number)


def flood_a_little(_file):
    for number in range(20_000):
        print("line", number)


def log_all(file):
    logger = logging.getLogger("lives.deep")
    logger.debug("debug %s", "it")
    logger.info("info", extra={"frame": 7, "odd": {1}})
    logging.getLogger("silent").error("of another one")
    try:
        raise_error(file)
    except ValueError:
        logger.exception("caught")


def count_sent_records(file):
    """How many records leave for the main OS process."""
    sent = []
    handler = logging.getLogger().handlers[0]
    handler.addFilter(lambda record: sent.append(record.msg) or True)
    for name in ("loud", "quiet", "lives"):
        for level in (logging.DEBUG, logging.INFO, logging.WARNING):
            logging.getLogger(name).log(level, "%s %s", name, level)
    tell(file, len(sent))


def log_too_much(_file):
    logging.getLogger("lives").warning("x" * 500_000)


def warn(_file):
    warnings.warn("mind the gap", stacklevel=1)
