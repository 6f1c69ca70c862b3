# SPDX-License-Identifier: Apache-2.0
"""The trials of freezes.py in which a process is killed or frozen at a named point, and their controls."""

import fcntl
import os
import signal
import subprocess
import time

from freezes_trial import (ENGINE_GRACE, HOLD, LOAD, PIPELINE, TIERS, UNAIDED, Broken, comm, finish, frozen_at, reap,
                           state_at)

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
    finish(trial, tiers)
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
