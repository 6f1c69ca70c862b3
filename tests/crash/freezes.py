#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real crashes in which a process of Cairn is killed, frozen for ever or frozen for a second at a named point
(core/util/fault.h), or in which one of the monitor's system calls or allocations fails. Each time: the program is dead of its
true signal in time, there is exactly one report, whole, with its tier and why, and no process is left over.

usage: freezes.py [--full] [--jobs N] LIBEXEC PLUGINS VICTIM SCRATCH      prints TAP without numbers
       freezes.py --one NAME LIBEXEC PLUGINS VICTIM SCRATCH               one trial, by its name in the table

Every trial runs in a process of its own, which is a subreaper: what a crash leaves behind becomes its child. The trials
themselves are in freezes_strike.py and freezes_fail.py.
"""

import ctypes
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

from freezes_fail import count_allocations, count_calls, fail_call, starve
from freezes_strike import (ACTIONS, CONTROLS, HELD, LEFT, POINTS, expect_broken, held, held_by_another, held_sender,
                            held_turn, strike)
from freezes_trial import Broken, Trial

PR_SET_CHILD_SUBREAPER = 36


def table(full):
    """name → what to run. The short form has one action of each row, in turn."""
    trials = {}
    for i, (point, kind, *tiers) in enumerate(POINTS):
        for j, action in enumerate(ACTIONS):
            if full or (i + j) % 3 == 0:
                expected = tiers[j] if isinstance(tiers[j], tuple) else (tiers[j],)
                trials[f"{point}, {kind}: {action}"] = (strike, point, kind, action, expected)
    for point, kind in LEFT if full else LEFT[3:4]:
        trials[f"{point}, {kind}: left"] = (strike, point, kind, "left", (1, 2))
    for point in HELD if full else HELD[:1]:
        trials[f"{point}: held"] = (held, point)
    trials["recover: held"] = (held_turn,)
    trials["sender: held"] = (held_sender,)
    trials["recover: held by another program"] = (held_by_another,)
    for name, (control, wanted) in CONTROLS.items():
        trials[f"control: {name}"] = (expect_broken, control, wanted)
    return trials


def calls_table(full, arguments):
    """The names of trials in which a call fails; `--count` has counted them in a process of its own."""
    names = []
    for kind in ("null", "threads"):
        counted = subprocess.run([sys.executable, "-B", __file__, "--count", kind, *arguments],
                                 stdout=subprocess.PIPE, check=True)
        for call, count in sorted(json.loads(counted.stdout).items()):
            most = (count if call == "mmap" else 12) if full else 1
            numbers = range(1, count + 1) if count <= most else {1 + i * (count - 1) // most for i in range(1, most + 1)}
            names += [f"system call {call} {number}, {kind}" for number in sorted(numbers)]
    # One that nothing but the reserve can make good is always tried.
    return names if full else list(dict.fromkeys(names[::3] + ["system call pwritev 1, threads"]))


def allocations_table(full, arguments):
    """One after the other, each alone."""
    names = []
    for kind in ("null", "threads", "null own"):
        counted = subprocess.run([sys.executable, "-B", __file__, "--count-allocations", kind, *arguments],
                                 stdout=subprocess.PIPE, check=True)
        count = json.loads(counted.stdout)["malloc"]
        names += [f"allocation {number}, {kind}" for number in range(1, count + 1)]
    return names if full else names[::2]


def find(name):
    starved = re.fullmatch(r"allocation ([0-9]+), (.*)", name)
    if starved:
        return (starve, starved[2], int(starved[1]))
    call = re.fullmatch(r"system call (.*) ([0-9]+), (.*)", name)
    return (fail_call, call[3], call[1], int(call[2])) if call else table(True)[name]


def run_one(name, arguments):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    function, *rest = find(name)
    trial = Trial(arguments, name)
    try:
        print(f"ok - {name} # {function(trial, *rest)}", flush=True)
        shutil.rmtree(trial.folder)
    except (Broken, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as problem:
        for pid in trial.children():
            os.kill(pid, signal.SIGKILL)
        text = str(problem).replace("\n", " | ")
        print(f"not ok - {name}: {type(problem).__name__}: {text}", flush=True)


def run_all(names, jobs, arguments):
    running = []
    while names or running:
        while names and len(running) < jobs:
            running.append(subprocess.Popen([sys.executable, "-B", __file__, "--one", names.pop(0), *arguments]))
        running[0].wait()
        running = [process for process in running if process.poll() is None]


def main():
    options = sys.argv[1:]
    full = "--full" in options
    jobs = int(options[options.index("--jobs") + 1]) if "--jobs" in options else 4
    if "--one" in options:
        at = options.index("--one")
        run_one(options[at + 1], options[at + 2:])
        return
    for option, count in ("--count", count_calls), ("--count-allocations", count_allocations):
        if option not in options:
            continue
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        kind = options[options.index(option) + 1]
        print(json.dumps(count(Trial(options[-4:], f"count {kind}"), kind)))
        return
    calls = calls_table(full, options[-4:]) if shutil.which("strace") else []
    if not calls:
        print("# failing system calls need strace", flush=True)
    calls += allocations_table(full, options[-4:])
    run_all(list(table(full)) + calls, jobs, options[-4:])


main()
