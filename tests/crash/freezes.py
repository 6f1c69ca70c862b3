#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real crashes in which a process of Cairn is killed, frozen for ever or frozen for a second at a named point
(core/util/fault.h), or in which one of the monitor's system calls or allocations fails. Each time: the program is dead of its
true signal in time, there is exactly one report, whole, with its tier and why, and no process is left over.

usage: freezes.py [--full] [--jobs N] LIBEXEC PLUGINS VICTIM SCRATCH      prints TAP without numbers
       freezes.py --one NAME LIBEXEC PLUGINS VICTIM SCRATCH               one trial, by its name in the table

Every trial runs in a process of its own, which is a subreaper: what a crash leaves behind becomes its child.
"""

import collections
import ctypes
import fcntl
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
HOLD, PIPELINE = 3.0, 6.0  # the clocks of the trials, seconds; `claim` is less than a second's freeze
TIERS = 6.0    # what tiers 2 and 3 may take besides
ENGINE_GRACE = 10.0  # after the pipeline's clock the monitor ends an engine
LOAD = 15.0    # what a busy machine may take besides; what hangs does so for ever
UNAIDED = 4.0  # for what was not struck to finish the report by itself: a spare waits for 2 s
CONFIG = """version: 1
application: {{ name: victim }}
engine: {{ spool: {spool}, clocks: {{ claim: 900ms, hold: 3s, pipeline: 6s }} }}
annotators: {{ build: {{ plugin: static, values: {{ team: payments }}, timeout: 1s }} }}
writers: {{ dump: {{ plugin: minidump, memory: stacks, timeout: 2s }} }}
transports: {{ disk: {{ plugin: directory, path: {target} }} }}
pipelines:
  default: {{ annotators: [build], writers: [dump], transports: [disk] }}
"""

# point, way to crash, tiers that report it when the process is killed there, frozen for ever, for a second. "threads"
# has so much memory that the program is let go before it is written, "held" a post-dump callback, "own" a handler of
# the program's own, whose outcome the monitor awaits.
POINTS = [
    ("monitor.woken", "null", 2, 2, 2),
    ("monitor.taken", "null", 2, 2, 1),
    ("monitor.held", "threads", 2, 2, 1),
    ("monitor.captured", "null", 2, 2, 1),
    ("monitor.kept", "null", 2, 2, 1),
    ("monitor.released", "null", 1, 1, 1),
    ("monitor.written", "null", 1, 1, 1),
    ("monitor.settled", "null", 1, 1, 1),
    ("monitor.named", "null", 1, 1, 1),
    ("monitor.handed", "null", 1, 1, 1),
    ("monitor.committed", "null", 1, 1, 1),
    ("monitor.written", "null held", 2, 2, 1),
    ("monitor.settled", "null held", 1, 1, 1),
    ("monitor.named", "null held", 1, 1, 1),
    ("monitor.answered", "null held", 1, 1, 1),
    ("monitor.spared", "threads", (1, 2), (1, 2), 1),  # whoever is faster
    ("monitor.released", "threads", 1, 1, 1),
    ("monitor.written", "threads", 1, 1, 1),
    ("monitor.settled", "threads", 1, 1, 1),
    ("monitor.named", "threads", 1, 1, 1),
    ("monitor.handed", "threads", 1, 1, 1),
    ("monitor.written", "null own", 2, 2, 1),
    ("monitor.answered", "null own", 1, 1, 1),
    ("monitor.provisional", "null own", 1, 1, 1),
    ("monitor.released", "threads own", 1, 1, 1),
    ("monitor.provisional", "threads own", 1, 1, 1),
    ("spare.begun", "threads", 1, 1, 1),
    ("engine.begun", "null", 1, 1, 1),
    ("engine.loaded", "null", 1, 1, 1),
    ("engine.crash_filters", "null", 1, 1, 1),
    ("engine.stack_walk", "null", 1, 1, 1),
    ("engine.annotators", "null", 1, 1, 1),
    ("engine.attachments", "null", 1, 1, 1),
    ("engine.writers", "null", 1, 1, 1),
    ("engine.commit", "null", 1, 1, 1),
    ("engine.saved", "null", 1, 1, 1),
    ("engine.stripped", "null", 1, 1, 1),
    ("engine.moved", "null", 1, 1, 1),
    ("engine.deliver", "null", 1, 1, 1),
    ("step.begun", "null", 1, 1, 1),
    ("step.created", "null", 1, 1, 1),
    ("step.called", "null", 1, 1, 1),
    ("sender.recorded", "null", 1, 1, 1),
    ("sender.sent", "null", 1, 1, 1),
    ("sender.saved", "null", 1, 1, 1),
]
ACTIONS = ["kill", "freeze", "second"]
# Frozen for ever with the lock of the report's folder, or of the reserve that keeps its minidump, and left to whoever wants that when what its holder may take is over.
HELD = ["monitor.released", "monitor.named", "engine.annotators", "engine.saved"]
# Frozen, and left to Cairn: the monitor ends an engine, the engine a step, the spare a monitor.
LEFT = [("engine.annotators", "null"), ("step.created", "null"), ("monitor.held", "threads"),
        ("monitor.released", "threads"), ("monitor.handed", "threads")]


class Broken(Exception):
    """What no fault may cause."""


class Trial:
    """One crash. `strike` is what happens to the process that comes to the point."""

    def __init__(self, arguments, name):
        self.libexec, self.plugins, self.victim, scratch = arguments
        self.folder = pathlib.Path(scratch) / re.sub(r"[^a-z0-9.]+", "-", name)
        self.spool = self.folder / "spool"
        self.application = self.spool / "victim"
        self.config = self.folder / "cairn.yaml"
        self.marker = self.folder / "marker"
        self.other = self.folder / "other"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.config.write_text(CONFIG.format(spool=self.spool, target=self.folder / "target"))
        self.environment = dict(os.environ, CAIRN_LIBEXEC=self.libexec, CAIRN_PLUGIN_PATH=self.plugins)

    # ---- what is left ----

    def reports(self):
        return [path for state in ("pending", "delivered") for path in self.application.glob(f"{state}/*/report.json")]

    def run(self, *arguments):
        return subprocess.run([f"{self.libexec}/{arguments[0]}", *arguments[1:]], env=self.environment,
                              capture_output=True, timeout=60)

    def recover(self):
        self.run("cairn-engine", "recover", "--application-folder", str(self.application), "--config", str(self.config))

    def log(self):
        path = self.application / "cairn.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def check_whole(self, path):
        """report.json parses, every artifact is what it says, the minidump is one."""
        report = json.loads(path.read_text())
        for artifact in report["artifacts"]:
            data = (path.parent / artifact["name"]).read_bytes()
            if len(data) != artifact["size"] or hashlib.sha256(data).hexdigest() != artifact["sha256"]:
                raise Broken(f"the artifact {artifact['name']} is not what report.json says")
        dumps = [artifact["name"] for artifact in report["artifacts"] if artifact["name"].endswith(".dmp")]
        if not dumps or (path.parent / dumps[0]).read_bytes()[:4] != b"MDMP":
            raise Broken("there is no minidump in the report")
        return report

    def check(self, tiers):
        paths = self.reports()
        if len(paths) != 1:
            raise Broken(f"{len(paths)} reports; the log says: {self.log().strip() or 'nothing'}")
        report = self.check_whole(paths[0])
        if report["crash"]["signal"] != "SIGSEGV":
            raise Broken(f"the signal is {report['crash']['signal']}")
        if report["tier"] not in tiers:
            raise Broken(f"tier {report['tier']} instead of {tiers}: {report.get('tier_reason')}")
        if report["tier"] > 1 and not report.get("tier_reason"):
            raise Broken("it is not said why tier 1 did not report it")
        left = [path.name for state in ("incoming", "quarantine") for path in self.application.glob(f"{state}/*")]
        if left:
            raise Broken(f"left over: {left}")

    # ---- processes ----

    def children(self, pid=None):
        pid = pid or os.getpid()
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def await_nobody(self, seconds):
        """Until no child is left; kills those that are, and says so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    time.sleep(0.005)
            except ChildProcessError:
                return
        names = []
        for pid in self.children():
            names.append(pathlib.Path(f"/proc/{pid}/comm").read_text().strip())
            os.kill(pid, signal.SIGKILL)
        raise Broken(f"left over: {names}")

    def struck(self):
        """The process that came to the point, once it is frozen."""
        return frozen_at(self.marker)

    def crash(self, kind, limit, at=lambda: None):
        """Runs the victim to its end; `at` is called again and again meanwhile."""
        began = time.monotonic()
        victim = subprocess.Popen([self.victim, kind.split()[0], str(self.config), *kind.split()[1:]],
                                  env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while victim.poll() is None:
            at()
            if time.monotonic() - began > limit:
                victim.kill()
                raise Broken(f"the program hangs for more than {limit} s")
            time.sleep(0.002)
        if victim.returncode != -signal.SIGSEGV:
            raise Broken(f"the program's status is {victim.returncode}")
        return time.monotonic() - began


def state_at(marker):
    """The process that made the marker, and its state: "X" once it is gone, "-" while there is none."""
    try:
        pid = int(marker.read_text())
    except (FileNotFoundError, ValueError):
        return None, "-"
    try:
        return pid, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return pid, "X"


def frozen_at(marker):
    """The process that made the marker, if it is frozen."""
    pid, state = state_at(marker)
    return pid if state in "Tt" else None


# ---- a process is struck ----

class Strike:
    """What the driver does about a process that was frozen at the point."""

    def __init__(self, trial, thaw_after, act=lambda: None):
        self.trial, self.thaw_after, self.act = trial, thaw_after, act
        self.pid = self.since = None

    def __call__(self):
        self.let_the_other_on()
        if self.pid is None:
            self.pid, self.since = self.trial.struck(), time.monotonic()
            if self.pid is not None:
                self.act()
        if self.pid is not None and self.thaw_after is not None and time.monotonic() - self.since >= self.thaw_after:
            self.thaw_after = None
            self.end(signal.SIGCONT)

    def let_the_other_on(self):
        """A monitor is frozen until its spare has been struck: it would end one that it does not need any more."""
        if state_at(self.trial.marker)[1] in "TtZX" and (other := frozen_at(self.trial.other)) is not None:
            os.kill(other, signal.SIGCONT)

    def end(self, number):
        """Ends or thaws it, if it is still there: some are ended by Cairn itself."""
        if self.pid is not None and self.trial.struck() == self.pid:
            os.kill(self.pid, number)


def strike(trial, point, kind, action, tiers, act=lambda: None):
    fault = f"{point}:{'kill' if action == 'kill' else 'stop'}:{trial.marker}"
    if point.startswith("spare."):
        fault = f"monitor.released:stop:{trial.other};{fault}"
    trial.environment["CAIRN_TEST_FAULT"] = fault
    watch = Strike(trial, 1.0 if action == "second" else None, act)
    took = trial.crash(kind, HOLD + TIERS + LOAD, watch)
    del trial.environment["CAIRN_TEST_FAULT"]
    # Nobody is in a hurry to end a frozen engine or sender.
    end = time.monotonic() + (1.0 if action == "freeze" and point.startswith(("engine.", "sender.")) else UNAIDED)
    end += LOAD if point.startswith("spare.") else 0  # nobody else does anything meanwhile
    while time.monotonic() < end and not (trial.marker.exists() and trial.reports() and trial.children() == []):
        watch()
        reap()
        time.sleep(0.005)
        if action != "freeze" and trial.marker.exists() and trial.children() == []:
            break
    if not trial.marker.exists():
        raise Broken(f"nobody came to {point}")
    trial.recover()  # what another start of the program does, while it is still frozen
    if action != "left":
        watch.end(signal.SIGKILL)
    trial.await_nobody(PIPELINE + ENGINE_GRACE + LOAD)
    trial.recover()
    trial.run("cairn-sender", "--spool", str(trial.spool), "--application", "victim", "--now", "--quiet")
    trial.await_nobody(PIPELINE + LOAD)
    trial.check(tiers)
    return f"dead after {took:.2f} s"


def held(trial, point):
    """A lock whose holder is frozen: nobody touches it in time, and is ended when it is late."""
    trial.environment["CAIRN_TEST_FAULT"] = f"{point}:stop:{trial.marker}"
    trial.crash("null", HOLD + TIERS + LOAD)
    del trial.environment["CAIRN_TEST_FAULT"]
    for pid in frozen(trial):  # an engine's monitor would end it
        for other in trial.children():
            if other != pid and comm(other) == "cairn-monitor":
                os.kill(other, signal.SIGKILL)
    trial.recover()
    if trial.reports() or not frozen(trial):
        raise Broken("its lock was taken from it in time")
    make_old(trial)
    trial.recover()
    trial.await_nobody(PIPELINE + LOAD)
    finish(trial, (1,))
    return "ended by the next"


def leave_dump(trial):
    """A minidump with its name, whose monitor was killed: for whoever recovers. The program's start has an engine look
    for such, which has to be done with that."""
    fifo = trial.folder / "go"
    os.mkfifo(fifo)
    begun = []

    def begin():
        if begun or not any(trial.application.glob("incoming/*.reserve")):
            return
        monitors = [pid for pid in trial.children() if comm(pid) == "cairn-monitor"]
        if any(map(trial.children, monitors)):
            return
        gate = os.open(fifo, os.O_WRONLY)  # until the victim waits
        begun.append(os.write(gate, b"x"))
        os.close(gate)

    trial.environment["CAIRN_TEST_FAULT"] = f"monitor.named:kill:{trial.marker}"
    trial.crash(f"null wait={fifo}", HOLD + TIERS + LOAD, begin)
    trial.await_nobody(UNAIDED + LOAD)
    trial.marker.unlink()
    del trial.environment["CAIRN_TEST_FAULT"]


def held_turn(trial):
    """One that recovers is frozen, and before that its child."""
    leave_dump(trial)
    trial.environment["CAIRN_TEST_FAULT"] = f"engine.annotators:stop:{trial.marker}"
    first = subprocess.Popen([f"{trial.libexec}/cairn-engine", "recover", "--application-folder", str(trial.application),
                              "--config", str(trial.config)], env=trial.environment, stdout=subprocess.DEVNULL)
    frozen(trial)
    first.send_signal(signal.SIGSTOP)
    del trial.environment["CAIRN_TEST_FAULT"]
    trial.recover()
    if trial.reports() or first.poll() is not None:
        raise Broken("its turn was taken from it in time")
    make_old(trial)
    trial.recover()
    if first.wait(UNAIDED + LOAD) != -signal.SIGKILL:
        raise Broken("it is still there")
    trial.await_nobody(PIPELINE + LOAD)
    finish(trial, (1,))
    return "ended by the next"


def held_by_another(trial):
    """Who is none of Cairn's processes is left alone, however long he holds a lock of theirs."""
    leave_dump(trial)
    with open(trial.application / "recover.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_old(trial)
        trial.recover()
        if trial.reports():
            raise Broken("its lock was taken from it")
    finish(trial, (1,))
    return "left alone"


def held_sender(trial):
    """A sender is frozen in the midst of a delivery."""
    trial.environment["CAIRN_TEST_FAULT"] = f"sender.recorded:stop:{trial.marker}"
    trial.crash("null", HOLD + TIERS + LOAD)
    frozen(trial)
    del trial.environment["CAIRN_TEST_FAULT"]
    sender = ["cairn-sender", "--spool", str(trial.spool), "--application", "victim", "--quiet"]
    trial.run(*sender)
    if trial.struck() is None:
        raise Broken("its lock was taken from it in time")
    make_old(trial)
    trial.run(*sender)
    if trial.struck() is not None:
        raise Broken("it is still there")
    if not any(trial.application.glob("delivered/*/report.json")):
        raise Broken("what it was about to deliver was not delivered")
    trial.await_nobody(PIPELINE + LOAD)
    finish(trial, (1,))
    return "ended by the next"


def frozen(trial):
    end = time.monotonic() + UNAIDED + LOAD
    while trial.struck() is None:
        if time.monotonic() > end:
            raise Broken("nobody was frozen")
        time.sleep(0.005)
    return [trial.struck()]


def make_old(trial):
    """As if an hour had passed."""
    then = time.time() - 3600
    for path in [*trial.application.glob("*.lock"), *trial.application.glob("incoming/*"),
                 *trial.application.glob("incoming/*/*")]:
        os.utime(path, (then, then))


def finish(trial, tiers):
    trial.recover()
    trial.run("cairn-sender", "--spool", str(trial.spool), "--application", "victim", "--now", "--quiet")
    trial.await_nobody(PIPELINE + LOAD)
    trial.check(tiers)


# ---- one of the monitor's system calls fails ----

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


def comm(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def fail_call(trial, kind, call, number):
    error = ERRORS.get(call, "EIO")
    took, log = crash_traced(trial, kind, ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}"])
    made = "(INJECTED)" in log  # whether and how often some calls are made depends on the moment
    trial.await_nobody(PIPELINE + ENGINE_GRACE + LOAD)
    trial.recover()
    trial.run("cairn-sender", "--spool", str(trial.spool), "--application", "victim", "--now", "--quiet")
    trial.await_nobody(PIPELINE + LOAD)
    trial.check((1, 2, 3))
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


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


# ---- controls: what is wrong has to be seen ----

def control_lost(trial):
    """Somebody deletes the minidump: that is a lost report."""
    def delete():
        for path in trial.application.glob("incoming/*/capture.dmp"):
            path.unlink()

    strike(trial, "monitor.named", "null", "second", (1,), delete)


def control_torn(trial):
    """Somebody changes what was committed."""
    def spoil():
        for path in trial.application.glob("*/*/dump.dmp"):
            path.write_bytes(path.read_bytes()[:-1])

    strike(trial, "engine.moved", "null", "second", (1,), spoil)


def control_late(trial):
    """A program that nobody lets go."""
    fifo = trial.folder / "never"
    os.mkfifo(fifo)
    trial.crash(f"null wait={fifo}", 2.0)


def control_point(trial):
    strike(trial, "monitor.no-such-point", "null", "kill", (1,))


CONTROLS = {
    "a deleted minidump": (control_lost, "0 reports"),
    "a torn artifact": (control_torn, "is not what report.json says"),
    "a program that hangs": (control_late, "the program hangs"),
    "a point that nobody comes to": (control_point, "nobody came to"),
}


# ---- the table ----

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


def expect_broken(trial, control, wanted):
    try:
        control(trial)
    except Broken as problem:
        if wanted not in str(problem):
            raise Broken(f"it was seen as something else: {problem}") from problem
        return "seen"
    finally:
        for pid in trial.children():
            os.kill(pid, signal.SIGKILL)
        reap()
    raise Broken("it was not seen")


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
