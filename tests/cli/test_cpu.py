"""How much the OS processes of a run have computed is counted, wherever they are and whether they live."""

from __future__ import annotations

import subprocess
import sys

from streampy.cli.cpu import cpu_seconds

COMPUTE = """
import subprocess, sys, time
if sys.argv[1:]:
    while time.process_time() < 0.3: pass
    print("!", flush=True)
    sys.stdin.read()
else:
    subprocess.run([sys.executable, "-c", sys.orig_argv[2], "child"])
"""


def test_what_a_child_of_a_child_computes_counts_while_it_lives_and_when_it_has_ended():
    before = cpu_seconds()
    command = [sys.executable, "-c", COMPUTE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert b"!" == child.stdout.read(1)
        while_it_lives = cpu_seconds() - before
    when_it_has_ended = cpu_seconds() - before
    assert 0.28 <= while_it_lives <= when_it_has_ended + 0.02
