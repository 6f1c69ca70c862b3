# SPDX-License-Identifier: Apache-2.0
"""What Cairn costs while nothing crashes: start, calls, memory, size. And a watch over the system."""

import ctypes
import os
import pathlib
import shutil
import subprocess
import threading

PR_SET_CHILD_SUBREAPER = 36
MEMORY_ROUNDS = 15


def run(bench, what, configuration):
    result = subprocess.run([bench.program("micro"), what], capture_output=True, text=True, check=False,
                            env=dict(bench.environment, BENCH_CONFIG=str(configuration)))
    if result.returncode != 0:
        bench.failures.append(f"micro {what}: {result.stderr.strip()}")
        return None
    return float(result.stdout)


def pss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def find_monitor(parent, seen):
    """The new monitor that was reparented to us; its page names the program, its command line nothing."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name == "cairn-monitor" and int(rest.split()[1]) == parent and path.parent.name not in seen:
            seen.add(path.parent.name)
            return path.parent.name
    return None


def measure_memory(bench, configuration, seen):
    """PSS of an idle program with and without Cairn, and of its monitor, all at the same moment."""
    environment = dict(bench.environment, BENCH_CONFIG=str(configuration))
    programs = [
        subprocess.Popen([bench.program(name), "idle"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env=environment, text=True)
        for name in ("micro-bare", "micro")
    ]
    for program in programs:
        program.stdout.readline()
    monitor = find_monitor(os.getpid(), seen)
    bare, cairn = (pss_kib(program.pid) for program in programs)
    idle = pss_kib(monitor) if monitor is not None else 0
    for program in programs:
        program.communicate("")
    if monitor is not None:
        os.waitpid(int(monitor), 0)  # or it would share the next one's pages
    return {"program": cairn - bare, "monitor": idle}


def text_bytes(library):
    result = subprocess.run(["size", library], capture_output=True, text=True, check=True)
    return int(result.stdout.splitlines()[1].split()[0])


def measure(bench, rounds, library):
    """{name: [values]}; start in microseconds, calls in nanoseconds, memory in KiB, text in bytes."""
    folder = bench.folder()
    configuration = bench.configuration(folder)
    (folder / "spool").mkdir()
    results = {what: [] for what in ("start", "start-no-wait", "annotation", "breadcrumb")}
    for number in range(rounds):
        for what, values in results.items():
            value = run(bench, what, configuration) if number < 5 or what.startswith("start") else None
            if value is not None:
                values.append(value)
    # The kernel maps files in windows of 64 KiB, whose borders in libc are others in each process.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    seen = set()
    memory = [measure_memory(bench, configuration, seen) for _ in range(MEMORY_ROUNDS)]
    for what in ("program", "monitor"):
        results[what] = [one[what] for one in memory]
    results["text"] = [text_bytes(library)]
    shutil.rmtree(folder, ignore_errors=True)
    return results


class Watch:
    """The most processes and the most memory in use, beyond what there was, until stop()."""

    def __init__(self):
        self.ended = threading.Event()
        self.first = self.look()
        self.most = self.first
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    @staticmethod
    def look():
        memory = {line.split(":")[0]: int(line.split()[1]) for line in open("/proc/meminfo")}
        used = memory["MemTotal"] - memory["MemAvailable"]
        return sum(1 for _ in pathlib.Path("/proc").glob("[0-9]*")), used // 1024

    def watch(self):
        while not self.ended.wait(0.05):
            self.most = tuple(max(pair) for pair in zip(self.most, self.look()))

    def stop(self):
        self.ended.set()
        self.thread.join()
        return tuple(most - first for most, first in zip(self.most, self.first))
