# SPDX-License-Identifier: Apache-2.0
"""The trials of freezes.py in which one of the monitor's system calls or allocations fails."""

import collections
import os
import pathlib
import re
import subprocess

from freezes_trial import ENGINE_GRACE, HOLD, LOAD, PIPELINE, TIERS, Broken, comm, finish

ERRORS = {"openat": "EMFILE", "mkdirat": "ENOSPC", "write": "ENOSPC", "pwritev": "ENOSPC", "fallocate": "ENOSPC",
          "mmap": "ENOMEM", "clone": "EAGAIN", "clone3": "EAGAIN", "vfork": "EAGAIN", "fork": "EAGAIN"}
# What does not fail, or cannot be told of: the kernel has no error for it that a program could answer.
UNFAILING = {"futex", "close", "exit", "exit_group", "rt_sigprocmask", "rt_sigreturn", "restart_syscall", "rseq",
             "clock_gettime", "uname", "set_robust_list", "gettid", "getpid", "rt_sigaction", "munmap", "tgkill"}


def crash_traced(trial, kind, options):
    """A crash whose monitor, with all that it starts, is traced from just before: how long, strace's log."""
    fifo, log = trial.folder / "go", trial.folder / "strace"
    os.mkfifo(fifo)
    strace = []

    def begin():
        if strace or not any(trial.application.glob("incoming/*.reserve")):
            return
        gate = os.open(fifo, os.O_WRONLY)  # until the victim waits
        monitor = [pid for pid in trial.children() if comm(pid) == "cairn-monitor"]
        strace.append(subprocess.Popen(["strace", "-f", "-p", str(monitor[0]), "-o", str(log), *options],
                                       stderr=subprocess.PIPE, text=True))
        strace[0].stderr.readline()  # "attached"
        os.write(gate, b"x")
        os.close(gate)

    took = trial.crash(f"{kind} wait={fifo}", HOLD + TIERS + LOAD, begin)
    strace[0].wait(PIPELINE + ENGINE_GRACE + LOAD)
    return took, log.read_text(errors="replace")


def fail_call(trial, kind, call, number):
    error = ERRORS.get(call, "EIO")
    took, log = crash_traced(trial, kind, ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}"])
    made = "(INJECTED)" in log  # whether and how often some calls are made depends on the moment
    trial.await_nobody(PIPELINE + ENGINE_GRACE + LOAD)
    finish(trial, (1, 2, 3))
    return f"failed, dead after {took:.2f} s" if made else "not made, or not so often, this time"


NEVER = 1 << 40  # a count that no allocation comes to


def crash_starved(trial, kind, number):
    """A crash whose monitor's allocation fails, the number-th from just before: how long, how many it made."""
    fifo, counter, libexec = trial.folder / "go", trial.folder / "count", trial.folder / "libexec"
    os.mkfifo(fifo)
    counter.write_bytes(NEVER.to_bytes(8, "little"))
    libexec.mkdir()
    for program in pathlib.Path(trial.libexec).iterdir():
        (libexec / program.name).symlink_to(program)
    monitor = libexec / "cairn-monitor"
    monitor.unlink()
    monitor.write_text(f"#!/bin/sh\nFAULT_CALL=malloc FAULT_AT={number} FAULT_COUNT={counter} FAULT_ONLY=cairn-monitor\n"
                       f"export FAULT_CALL FAULT_AT FAULT_COUNT FAULT_ONLY\n"
                       f"LD_PRELOAD={trial.folder.parent}/fault.so exec {trial.libexec}/cairn-monitor \"$@\"\n")
    monitor.chmod(0o755)
    trial.environment["CAIRN_LIBEXEC"] = str(libexec)
    begun = []

    def begin():
        if begun or not any(trial.application.glob("incoming/*.reserve")):
            return
        gate = os.open(fifo, os.O_WRONLY)  # until the victim waits
        with open(counter, "r+b") as file:
            file.write((0).to_bytes(8, "little"))
        begun.append(os.write(gate, b"x"))
        os.close(gate)

    took = trial.crash(f"{kind} wait={fifo}", HOLD + TIERS + LOAD, begin)
    trial.await_nobody(PIPELINE + ENGINE_GRACE + LOAD)
    trial.environment["CAIRN_LIBEXEC"] = trial.libexec
    return took, int.from_bytes(counter.read_bytes(), "little")


def starve(trial, kind, number):
    took, count = crash_starved(trial, kind, number)
    made = number <= count < NEVER
    if not made and number == 1:
        raise Broken("the monitor made no allocation")
    finish(trial, (1, 2, 3))
    return f"dead after {took:.2f} s" if made else "not made so often this time"


def count_allocations(trial, kind):
    return {"malloc": crash_starved(trial, kind, 0)[1]}


def count_calls(trial, kind):
    """How often a thread of the monitor makes each system call, at most."""
    _, log = crash_traced(trial, kind, [])
    trial.await_nobody(PIPELINE + LOAD)
    lines = [line.split(None, 1) for line in log.splitlines() if " " in line]
    first = next(thread for thread, text in lines if text.startswith("timer_create"))
    threads = {first} | set(re.findall(r"parent_tid=\[([0-9]+)\]", log))  # processes are made without
    threads |= {thread for thread, text in lines if text.startswith("ptrace")}  # made before
    counts = collections.Counter()
    for thread, text in lines:
        call = re.match(r"([a-z0-9_]+)\(", text)
        if thread in threads and call and call[1] not in UNFAILING:
            counts[thread, call[1]] += 1
    most = {}
    for (_, call), count in counts.items():
        most[call] = max(count, most.get(call, 0))
    return most
