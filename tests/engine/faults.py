#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the n-th call of a kind fail in the engine, the sender and the monitor, one run for each, and looks
at what is left on disk: the report is there whole, or `recover` makes it whole, or the program said clearly
why not and nothing is lost; no hang. Started by tests/engine/faults.sh, prints TAP lines without numbers.

The engine and the sender are made to fail by the library fault.c, the monitor, whose capture makes system
calls without libc, by strace; without strace its part is skipped.

usage: faults.py LIBEXEC LIBRARY CONFIG MINIDUMP SCRATCH RUNS-PER-CALL
"""

import collections
import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import uuid

LIBEXEC, LIBRARY, CONFIG, DUMP, SCRATCH, RUNS = sys.argv[1:7]
ENGINE, SENDER, MONITOR = (f"{LIBEXEC}/cairn-{program}" for program in ("engine", "sender", "monitor"))
RUNS = int(RUNS)
SPOOL = pathlib.Path(SCRATCH) / "spool"
FOLDER = SPOOL / "shop"
COUNT = pathlib.Path(SCRATCH) / "count"
DEADLINE = 30
PR_SET_CHILD_SUBREAPER = 36
CALLS = ["malloc", "open", "openat", "read", "pread", "write", "fsync", "renameat", "mkdirat",
         "unlinkat", "fstat", "flock", "dup2", "pipe2", "fork", "execv"]
MONITOR_CALLS = ["openat", "read", "mmap", "wait4", "fsync", "renameat", "mkdirat", "flock", "pipe2", "clone3",
                 "fcntl", "pidfd_open", "poll"]
# The capture's thread makes these, so all threads and children are followed.
CAPTURE_CALLS = ["openat", "read", "write", "pwrite64", "writev", "ptrace", "process_vm_readv", "wait4",
                 "getdents64", "readlinkat", "rt_sigtimedwait", "ftruncate"]
# What a killed process had not given its name yet.
UNNAMED = re.compile(r"\.(report\.json|configuration\.yaml)\.[0-9]+\.tmp")
KNOWN = {"report.json", "configuration.yaml", "capture.dmp"}


class Broken(Exception):
    """What no fault may cause."""


def new_spool():
    shutil.rmtree(SPOOL)
    for state in ("incoming", "pending", "delivered", "quarantine"):
        (FOLDER / state).mkdir(parents=True, mode=0o700)
    for path in (SPOOL, FOLDER):
        path.chmod(0o700)


def new_id():
    number = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    number[6] = 0x70 | number[6] & 15
    number[8] = 0x80 | number[8] & 63
    return str(uuid.UUID(bytes=bytes(number)))


def captured():
    """A capture as the monitor leaves it; its id."""
    name = new_id()
    (FOLDER / "incoming" / name).mkdir(mode=0o700)
    shutil.copy(DUMP, FOLDER / "incoming" / name / "capture.dmp")
    return name


def run(arguments, call=None, at=0):
    """The process's exit status and standard error, and how often the call was made."""
    environment = dict(os.environ)
    COUNT.write_bytes(bytes(8))
    if call is not None:
        environment.update(LD_PRELOAD=LIBRARY, FAULT_CALL=call, FAULT_AT=str(at), FAULT_COUNT=str(COUNT))
    try:
        done = subprocess.run(arguments, env=environment, capture_output=True, timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        raise Broken("it hangs")
    return done, int.from_bytes(COUNT.read_bytes(), "little")


def report_command(name):
    return [ENGINE, "report", "--folder", str(FOLDER / "incoming" / name), "--config", CONFIG,
            "--executable", "/opt/shop/bin/shop"]


def import_command(_):
    return [ENGINE, "import", "--application", "shop", "--config", CONFIG, DUMP]


def recover_command():
    return [ENGINE, "recover", "--application-folder", str(FOLDER), "--config", CONFIG]


def send_command(_):
    return [SENDER, "--spool", str(SPOOL), "--application", "shop", "--now"]


def check_whole(folder):
    """report.json parses, and every file is what it says."""
    report = json.loads((folder / "report.json").read_text())
    if report["id"] != folder.name:
        raise Broken(f"the report in {folder.name} has the id {report['id']}")
    listed = {artifact["name"]: artifact for artifact in report["artifacts"]}
    for name, artifact in listed.items():
        data = (folder / name).read_bytes()
        if len(data) != artifact["size"] or hashlib.sha256(data).hexdigest() != artifact["sha256"]:
            raise Broken(f"the artifact {name} is not what report.json says")
    strays = {path.name for path in folder.iterdir() if not UNNAMED.fullmatch(path.name)}
    strays -= set(listed) | KNOWN
    if strays:
        raise Broken(f"nobody knows the files {sorted(strays)}")


def committed():
    return [path for state in ("pending", "delivered") for path in (FOLDER / state).iterdir()]


def settle():
    """Waits for what was started detached: orphans become children of this process."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.002)
        except ChildProcessError:
            return
    raise Broken("a process is left over that does not end")


def after_engine(done, name):
    """The promise: it is there, or recover makes it so, or import said no with a sentence."""
    settle()
    if not committed():
        waiting = [path for path in (FOLDER / "incoming").iterdir() if (path / "capture.dmp").exists()]
        if not waiting and name is None and done.returncode != 0:
            # glibc's name service ends a process that has no memory for it (nss_database.c).
            if not done.stderr.strip() and done.returncode > 0:
                raise Broken(f"import failed with {done.returncode} and said nothing")
            return
        if not waiting and not any(FOLDER.glob("incoming/*/report.json")):
            raise Broken(f"the report is lost (exit status {done.returncode})")
        run(recover_command())
        settle()
    reports = committed()
    if len(reports) != 1 or (name is not None and reports[0].name != name):
        raise Broken(f"there are {len(reports)} reports (exit status {done.returncode}): {done.stderr.decode()}")
    check_whole(reports[0])


def after_sender(_, name):
    settle()
    for path in committed():
        check_whole(path)
    run(send_command(None))
    if not (FOLDER / "delivered" / name / "report.json").exists():
        raise Broken("the report is not delivered by a sender that nothing fails for")
    check_whole(FOLDER / "delivered" / name)


def prepare_report():
    new_spool()
    return captured()


def prepare_import():
    new_spool()


def prepare_send():
    """A report that waits for its delivery: the control file says offline while the engine tries."""
    new_spool()
    name = captured()
    control = pathlib.Path(os.environ["CONTROL"])
    control.write_text("offline\n")
    run(report_command(name))
    settle()
    control.write_text("deliver\n")
    if not (FOLDER / "pending" / name).exists():
        raise Broken("the report does not wait for the sender")
    return name


def chosen(total, runs):
    """Which calls fail: all, or the first, the last and some between."""
    if total <= runs:
        return list(range(1, total + 1))
    return sorted({round(1 + i * (total - 1) / (runs - 1)) for i in range(runs)})


def every(title, call, attempt, runs=RUNS):
    """`attempt(call, at)` with nothing failing first, which tells how many calls there are."""
    at = 0
    try:
        total = attempt(call, 0)
        for at in chosen(total, runs):
            attempt(call, at)
        print(f"ok - {title}: any of {total} calls of {call} fails", flush=True)
    except (Broken, OSError, ValueError, KeyError) as problem:
        print(f"not ok - {title}: {call} number {at} fails: {problem}", flush=True)


def of_program(prepare, command, after):
    def attempt(call, at):
        name = prepare()
        done, count = run(command(name), call, at)
        after(done, name)
        return count

    return attempt


# ---- The monitor ----

def traced(call, arguments, at=0, follow=False):
    """As run(), with the at-th system call of every thread failing; and the most that one thread made."""
    log = pathlib.Path(SCRATCH) / "strace"
    inject = [] if at == 0 else ["-e", f"inject={call}:error=EIO:when={at}"]
    every_thread = ["-f", "--seccomp-bpf"] if follow else []
    done, _ = run(["strace", *every_thread, "-o", str(log), "-e", f"trace={call}", *inject, *arguments])
    threads = [line.split()[0] for line in log.read_text().splitlines() if f"{call}(" in line]
    return done, max(collections.Counter(threads if follow else [0] * len(threads)).values(), default=0)


def of_monitor(victim, follow):
    dump = [MONITOR, "--dump", str(victim.pid), "--config", CONFIG, "--application", "shop"]
    loaders = {}

    def attempt(call, at):
        new_spool()
        if call not in loaders:  # what fails there is the dynamic linker's
            loaders[call] = traced(call, [MONITOR, "--help"])[1]
        loader = loaders[call]
        done, total = traced(call, dump, loader + at if at != 0 else 0, follow)
        after_monitor(done, victim)
        return max(total - loader, 0)

    return attempt


def after_monitor(done, victim):
    """As for the engine; and the process goes on as if nothing had happened."""
    settle_except(victim)
    status = pathlib.Path(f"/proc/{victim.pid}/status").read_text()
    if "TracerPid:\t0\n" not in status or "State:\tS" not in status:
        raise Broken("the process is not let go")
    if not committed():
        if done.returncode == 0 or not done.stderr.strip():
            raise Broken(f"there is no report, exit status {done.returncode}, and nothing is said")
        run(recover_command())
        settle_except(victim)
    for folder in committed():
        check_whole(folder)
    if done.returncode == 0 and not committed():
        raise Broken("it says that there is a report, and there is none")


def settle_except(victim):
    """Like settle(), with a child that stays."""
    end = time.monotonic() + DEADLINE
    mine = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    while set(pathlib.Path(mine).read_text().split()) != {str(victim.pid)}:
        for child in pathlib.Path(mine).read_text().split():
            if int(child) != victim.pid:
                os.waitpid(int(child), os.WNOHANG)
        if time.monotonic() > end:
            raise Broken("a process is left over that does not end")
        time.sleep(0.002)


def fail_monitor():
    if shutil.which("strace") is None:
        print("# the monitor's part needs strace", flush=True)
        return
    victim = subprocess.Popen(["sleep", "3600"])
    for call in MONITOR_CALLS:
        every("monitor", call, of_monitor(victim, False), max(RUNS // 3, 2))
    for call in CAPTURE_CALLS:
        every("capture", call, of_monitor(victim, True), max(RUNS // 3, 2))
    victim.kill()
    victim.wait()


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    SPOOL.mkdir(exist_ok=True)
    print(f"# {RUNS} of the calls, at most", flush=True)
    report = of_program(prepare_report, report_command, after_engine)
    send = of_program(prepare_send, send_command, after_sender)
    for call in CALLS:
        every("report", call, report)
    for call in ("malloc", "open", "openat", "write", "fsync", "renameat", "mkdirat"):
        every("import", call, of_program(prepare_import, import_command, after_engine))
    for call in CALLS:
        every("send", call, send)
    every("report, killed", "kill", report)
    every("send, killed", "kill", send)
    fail_monitor()


main()
