# SPDX-License-Identifier: Apache-2.0
"""Runs one victim, with Cairn or without, bounded in time, and finds out what it left behind.

The driver is a subreaper: whatever a victim starts becomes the driver's child at the latest when
its parents are gone, so that "no process left over" is a wait for children.
"""

import ctypes
import os
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
CANNOT = 77  # the victim's exit status where the system cannot show this way to crash
# With more time for the monitor than by default: where it is late is not what the matrix asks.
CONFIG = """version: 1
application: {{ name: victim }}
engine: {{ spool: {spool}, clocks: {{ claim: 10s, hold: 20s }} }}
writers:
  dump: {{ plugin: minidump, memory: stacks }}
pipelines:
  default: {{ writers: [dump] }}
"""


class Unavailable(Exception):
    """This machine cannot show the row; the text says why."""


def become_subreaper():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def no_core_files():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Place:
    """Scratch folders of one driver process, and what rows share in them."""

    def __init__(self, tests):
        self.tests = tests  # the folder with the built victims
        self.root = tempfile.mkdtemp(prefix="matrix-")
        os.chmod(self.root, 0o755)
        self.count = 0

    def fresh(self):
        self.count += 1
        path = os.path.join(self.root, str(self.count))
        os.mkdir(path, 0o755)
        return path

    def shared(self, name):
        """{empty}, {module}, {modules-N}: made at the first use."""
        path = os.path.join(self.root, name)
        module = os.path.join(self.tests, "matrix_module.so")
        if name == "module":
            return module
        if not os.path.isdir(path):
            os.mkdir(path, 0o755)
            if name.startswith("modules-"):
                for i in range(int(name.split("-")[1])):
                    shutil.copy(module, f"{path}/module-{i}.so")
        return path

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


class Setup:
    """What a row needs around it; undone by close()."""

    def __init__(self, row, place, folder):
        self.prefix = []
        self.run_options = []
        self.values = {}
        self.undo = []
        self.enter = None
        self.spool = os.path.join(folder, "spool")
        os.mkdir(self.spool, 0o700)
        if row.root and os.geteuid() != 0:
            raise Unavailable("needs root")
        for name in ("empty", "module", "modules-300", "modules-3000"):
            if "{" + name + "}" in row.argument:
                self.values[name] = place.shared(name)
        if row.setup:
            getattr(self, row.setup.replace("-", "_"))(folder)

    def argument(self, text):
        for name, value in self.values.items():
            text = text.replace("{" + name + "}", value)
        return text

    def close(self):
        for undo in reversed(self.undo):
            undo()

    def cgroup(self, _folder):
        with open("/proc/self/cgroup", encoding="ascii") as file:
            lines = [line.strip().split(":", 2) for line in file]
        own = [path for _, names, path in lines if names == "memory"]
        group = f"/sys/fs/cgroup/memory{own[0] if own else ''}/cairn-matrix-{os.getpid()}"
        try:
            os.mkdir(group)
        except OSError as error:
            raise Unavailable(f"no memory cgroup of version 1 here: {error.strerror}") from error
        self.undo.append(lambda: os.rmdir(group))
        with open(f"{group}/memory.limit_in_bytes", "w", encoding="ascii") as file:
            file.write(str(64 << 20))
        self.values["cgroup"] = group

        def enter():
            with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")

        self.enter = enter

    def disk_full(self, _folder):
        run = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", self.spool],
                             capture_output=True, check=False)
        if run.returncode != 0:
            raise Unavailable("no tmpfs can be mounted here")
        self.undo.append(lambda: subprocess.run(["umount", "-l", self.spool], check=False))
        with open(f"{self.spool}/filler", "wb") as file:
            try:
                file.write(bytes((1 << 20) - (20 << 10)))
            except OSError:
                pass

    def namespace(self, *command):
        if subprocess.run(["unshare", *command, "true"], capture_output=True,
                          check=False).returncode != 0:
            raise Unavailable(f"unshare {' '.join(command)} is refused here")
        self.prefix = ["unshare", *command]

    def pid_1(self, _folder):
        self.namespace("--fork", "--pid", "--mount-proc")

    def children(self, _folder):
        self.run_options = ["--children"]

    def user_namespace(self, _folder):
        self.namespace("--user", "--map-root-user")

    def read_only(self, folder):
        self.namespace("--mount")
        script = ('mount --bind "$0" "$0" && mount -o remount,bind,ro / && ! touch /read-only '
                  '2>/dev/null && cd "$0" && exec "$@"')
        self.prefix += ["sh", "-c", script, folder]


class Run:
    """What one execution showed."""

    def __init__(self):
        self.status = None       # as waitpid says; None: it hung and was killed
        self.ms = 0.0
        self.left_over = []      # names of processes that had to be killed
        self.output = ""
        self.settled_ms = 0.0    # until the last process had ended

    def ended(self):
        if self.status is None:
            return "hung"
        if os.WIFSIGNALED(self.status):
            core = "+core" if os.WCOREDUMP(self.status) else ""
            return signal.Signals(os.WTERMSIG(self.status)).name + core
        return str(os.WEXITSTATUS(self.status))


def children():
    """The driver's own children, by name."""
    found = {}
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        for pid in file.read().split():
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as comm:
                    found[int(pid)] = comm.read().strip()
            except OSError:
                pass
    return found


def reap(deadline):
    """Waits for all children; True when none is left."""
    pause = 0.0005
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 1.5, 0.01)


def kill_all():
    names = []
    for _ in range(20):
        for pid, name in children().items():
            names.append(name)
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        if reap(time.monotonic() + 0.5):
            break
    return names


def send_when_ready(process, name, deadline):
    """The signal, once the victim has said that it is ready."""
    ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
    if ready and os.read(process.stdout.fileno(), 64).startswith(b"ready"):
        os.kill(process.pid, getattr(signal, "SIG" + name))


def execute(command, environment, folder, row, enter, limit):
    """One run: until the first process has ended, and then all others."""
    run = Run()
    output = open(os.path.join(folder, "output"), "w+b")
    began = time.monotonic()
    # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
    process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE if row.send else output, stderr=output,
                               preexec_fn=enter)
    pidfd = os.pidfd_open(process.pid)
    if row.send:
        send_when_ready(process, row.send, began + limit)
    ended, _, _ = select.select([pidfd], [], [], max(0, began + limit - time.monotonic()))
    if ended:
        _, run.status = os.waitpid(process.pid, 0)
    run.ms = (time.monotonic() - began) * 1000
    if not reap(time.monotonic() + (limit if ended else 0)):
        run.left_over = kill_all()
    run.settled_ms = (time.monotonic() - began) * 1000
    process.returncode = 0
    if process.stdout:
        process.stdout.close()
    os.close(pidfd)
    output.seek(0)
    run.output = output.read().decode(errors="replace")
    output.close()
    return run


def victim(place, mode):
    if mode == "preload":
        return os.path.join(place.tests, "matrix_victim")
    built = os.path.join(place.tests, ".libs", "matrix_" + mode)  # below libtool's wrapper script
    return built if os.path.exists(built) else os.path.join(place.tests, "matrix_" + mode)


def run_bare(row, mode, place, setup, folder, limit):
    """The same victim without Cairn."""
    environment = {k: v for k, v in os.environ.items() if k != "MATRIX_CONFIG"}
    command = [*setup.prefix, victim(place, mode), row.bare_kind or row.kind,
               setup.argument(row.argument)]
    return execute(command, environment, folder, row, setup.enter, limit)


def run_next(folder, limit):
    """Any later Cairn process, which finishes what could not be finished."""
    with open(os.path.join(folder, "next"), "wb") as output:
        # pylint: disable=consider-using-with
        process = subprocess.Popen(["cairn", "run", "-c", os.path.join(folder, "cairn.yaml"), "--",
                                    "true"], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    if not reap(time.monotonic() + limit):
        kill_all()
    process.returncode = 0


def run_with_cairn(row, mode, place, setup, folder, tier_environment, limit):
    config = os.path.join(folder, "cairn.yaml")
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(spool=setup.spool))
    environment = dict(os.environ, **tier_environment)
    command = [victim(place, mode), row.kind, setup.argument(row.argument)]
    if mode == "preload":
        command = ["cairn", "run", "-c", config, *setup.run_options, "--", *command]
        environment.pop("MATRIX_CONFIG", None)
    else:
        environment["MATRIX_CONFIG"] = config
    return execute([*setup.prefix, *command], environment, folder, row, setup.enter, limit)
