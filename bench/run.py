#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Cairn side by side with what a user would pick instead; see bench/README.md.

Every round runs each subject once, in turn, so that all see the same weather. Needs the programs
that `make bench` builds (--programs) and a staged installation (--stage).
"""

import argparse
import functools
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import quiet
import table

BENCH = pathlib.Path(__file__).resolve().parent
THREADS = [1, 10, 100, 1000, 5000]
MODULES = [30, 300, 3000]
HEAP_MIB = 2048
ZSTD_HEAP_MIB = 512
STORM = 200
PLUGINS = [0, 8, 16]  # annotators besides the default pipeline's
TIERS = {"tier 2": "2", "tier 2, copy": "2-copy", "tier 3": "3"}  # subject: CAIRN_TEST_TIER
TIER_THREADS = 1000  # beyond that the reserve is full long before the last thread

# Rounds per case: what takes long is repeated less often.
ROUNDS = {1: 21, 10: 21, 100: 15, 1000: 9, 5000: 5}
MODULE_ROUNDS = {30: 9, 300: 7, 3000: 5}
HEAP_ROUNDS = 3
REPORT_ROUNDS = 9
SLOW_ROUNDS = 3  # of gcore and LLDB
TIER_ROUNDS = 7

CONFIGURATION = """\
version: 1
application: {{ name: bench }}
engine:
  spool: {spool}
  limits: {{ reports: 1000, total: 64GiB, report: 8GiB, free: 1MiB }}
  clocks: {{ pipeline: 10m }}
annotators:
  system:      {{ plugin: system }}
  process:     {{ plugin: process }}
  breadcrumbs: {{ plugin: breadcrumbs }}
{extra}
writers:
  dump:    {{ plugin: minidump, {options} }}
  summary: {{ plugin: text }}
pipelines:
  default:
    annotators: [{names}]
    writers: [dump, summary]
"""


class Case:
    """One victim: so many threads, modules, MiB of heap; and how often it is to crash."""

    def __init__(self, label, rounds, threads=1, modules=0, heap=0, memory="stacks", plugins=0):
        self.label, self.rounds = label, rounds
        self.threads, self.modules, self.heap = threads, modules, heap
        self.memory, self.plugins = memory, plugins

    def arguments(self):
        return [str(self.threads), str(self.modules), str(self.heap)]


class Bench:
    """The programs, a scratch folder, and one method per way to crash."""

    def __init__(self, options, scratch):
        self.programs = pathlib.Path(options.programs).resolve()
        self.stage = pathlib.Path(options.stage).resolve()
        self.scratch = scratch
        self.environment = dict(
            os.environ,
            CAIRN_LIBEXEC=str(self.stage / "libexec/cairn"),
            CAIRN_PLUGIN_PATH=str(self.stage / "lib/cairn/plugins"),
            LD_LIBRARY_PATH=str(self.stage / "lib"),
            LC_ALL="C",
        )
        self.failures = []
        self.count = 0

    def program(self, name):
        return str(self.programs / name)

    def make_modules(self, count):
        folder = self.scratch / "modules"
        folder.mkdir(exist_ok=True)
        for number in range(count):
            path = folder / f"m-{number}.so"
            if not path.exists():
                shutil.copyfile(self.program("module.so"), path)
        self.environment["BENCH_MODULES"] = str(folder / "m-")

    def folder(self):
        self.count += 1
        path = self.scratch / f"run-{self.count}"
        path.mkdir()
        return path

    def configuration(self, folder, memory="stacks", plugins=0):
        options = {"stacks": "memory: stacks", "full": "memory: full",
                   "zstd": "memory: full, compress: zstd, timeout: 5m, output_limit: 8GiB"}[memory]
        extra = "".join(
            f"  extra{n}: {{ plugin: static, values: {{ key{n}: value }} }}\n" for n in range(plugins)
        )
        names = ["system", "process", "breadcrumbs"] + [f"extra{n}" for n in range(plugins)]
        path = folder / "cairn.yaml"
        path.write_text(
            CONFIGURATION.format(
                spool=folder / "spool", options=options, extra=extra, names=", ".join(names)
            )
        )
        return path

    def trial(self, subject, options, command, folder, environment=None):
        """One run of the driver: {name: microseconds}, or None when it failed."""
        result = subprocess.run(
            [self.program("trial"), "--folder", str(folder), *options, "--", *command],
            env=dict(self.environment, **(environment or {})),
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )
        if result.returncode != 0:
            self.failures.append(f"{subject}: {result.stderr.strip() or result.returncode}")
            return None
        return {name: float(value) for name, value in (line.split() for line in result.stdout.splitlines())}

    def none(self, case, folder):
        return self.trial("none", [], [self.program("victim"), *case.arguments()], folder)

    def limit(self, case, folder):
        return self.trial("limit", ["--limit", self.program("limit")],
                          [self.program("victim"), *case.arguments()], folder, {"BENCH_HANDLER": "1"})

    def cairn(self, case, folder, tier=None):
        """With a tier: that one, by a monitor that is not asked; who recovers it then names the dump."""
        configuration = self.configuration(folder, case.memory, case.plugins)
        environment = {"BENCH_CONFIG": str(configuration)}
        if tier is not None:
            environment["CAIRN_TEST_TIER"] = tier
        (folder / "spool").mkdir()
        times = self.trial(
            "cairn",
            ["--dump", "capture.dmp", "--commits", "pending", "--commits", "delivered", "--peak", "cairn-monitor"],
            [self.program("victim-cairn"), *case.arguments()], folder, environment,
        )
        for path in folder.glob("spool/*/*/*/report.json") if times is not None else []:
            report = json.loads(path.read_text())
            if tier is not None and report["tier"] != int(tier[0]):
                self.failures.append(f"tier {tier}: the report is of tier {report['tier']}")
                return None
            times.update({f"stage {name}": value for name, value in report["timings"].items()})
        return times

    def core(self, case, folder):
        return self.trial("core", ["--core", "--dump", "core*"],
                          [self.program("victim"), *case.arguments()], folder)

    def gcore(self, case, folder):
        command = "gcore -o {folder}/gcore {pid} >/dev/null 2>&1"
        return self.trial("gcore", ["--tool", command], [self.program("victim"), *case.arguments()], folder)

    def lldb(self, case, folder):
        command = ("lldb --batch --no-lldbinit -p {pid} -o 'process save-core --plugin-name=minidump --style=stack "
                   "{folder}/lldb.dmp' -o detach >/dev/null 2>&1 && test -s {folder}/lldb.dmp")
        return self.trial("lldb", ["--tool", command], [self.program("victim"), *case.arguments()], folder)

    def other(self, name, text):
        def run(case, folder):
            command = [part.replace("{folder}", str(folder)) for part in shlex.split(text)]
            return self.trial(name, ["--last"], [*command, self.program("victim"), *case.arguments()], folder)
        return run


def core_is_plain():
    """The kernel's core files land in the current folder here."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    return not pattern.startswith("|") and "/" not in pattern


def subjects_of(bench, options):
    """{name: function(case, folder)}, in the table's order."""
    subjects = {"none": bench.none, "limit": bench.limit, "cairn": bench.cairn}
    for name, tier in TIERS.items():
        subjects[name] = functools.partial(bench.cairn, tier=tier)
    if core_is_plain():
        subjects["core"] = bench.core
    for tool in ("gcore", "lldb"):
        if shutil.which(tool) and not options.quick:
            subjects[tool] = getattr(bench, tool)
    for text in options.subject:
        name, separator, command = text.partition("=")
        if not separator or not command:
            sys.exit(f"run.py: --subject wants NAME=COMMAND, not \"{text}\"")
        subjects[name] = bench.other(name, command)
    return subjects


def takes_part(name, case, round_number):
    """Slow subjects sit out what would take them minutes, or fill the disk."""
    if name in TIERS:
        return (case.threads <= TIER_THREADS and case.modules == 0 and case.heap == 0
                and round_number < TIER_ROUNDS)
    if name == "lldb":
        return case.threads <= 100 and case.modules == 0 and case.heap == 0 and round_number < SLOW_ROUNDS
    if name == "gcore":
        return case.threads <= 1000 and case.modules <= 300 and case.heap == 0 and round_number < SLOW_ROUNDS
    if name == "core":
        return case.threads <= 1000 and case.modules <= 300 or case.heap > 0
    return case.heap == 0 or name == "cairn"


def measure_case(bench, subjects, case):
    """{subject: [times or None per round]}"""
    results = {name: [] for name in subjects}
    bench.make_modules(case.modules)
    for round_number in range(case.rounds):
        for name, run in subjects.items():
            times = None
            if takes_part(name, case, round_number):
                folder = bench.folder()
                times = run(case, folder)
                shutil.rmtree(folder, ignore_errors=True)
            results[name].append(times)
    return results


def crash_cases(options):
    scale = 3 if options.quick else 1
    cases = [Case(f"{n} thread" + "s" * (n > 1), max(3, ROUNDS[n] // scale), threads=n) for n in options.threads]
    if not options.quick:
        cases += [Case(f"{n} modules", MODULE_ROUNDS[n], modules=n) for n in MODULES]
        cases += [Case(f"full, {HEAP_MIB} MiB", HEAP_ROUNDS, heap=HEAP_MIB, memory="full")]
    return cases


def measure_plugins(bench, options):
    """{number of plugins: [microseconds until the report is committed]}"""
    results = {count: [] for count in PLUGINS}
    for _ in range(3 if options.quick else REPORT_ROUNDS):
        for count in PLUGINS:
            folder = bench.folder()
            times = bench.cairn(Case("plugins", 1, plugins=count), folder)
            if times is not None and "commit" in times:
                results[count].append(times["commit"])
            shutil.rmtree(folder, ignore_errors=True)
    return results


def measure_zstd(bench):
    """[(microseconds of the writers, of the same by commands, bytes)] for a full dump that is compressed."""
    results = []
    for _ in range(HEAP_ROUNDS if shutil.which("zstd") else 0):
        folder = bench.folder()
        times = bench.cairn(Case("zstd", 1, heap=ZSTD_HEAP_MIB, memory="zstd"), folder)
        packed = next(folder.glob("spool/*/*/*/dump.dmp.zst"), None)
        if times is not None and packed is not None:
            plain = folder / "plain.dmp"
            subprocess.run(["zstd", "-dqf", str(packed), "-o", str(plain)], check=True)
            began = time.monotonic()
            subprocess.run(["nice", "-n", "10", "sh", "-c", "zstd -3 --single-thread -qf plain.dmp -o again.zst && "
                            "sync again.zst && sha256sum again.zst"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
            results.append((times["stage writers_us"], 1e6 * (time.monotonic() - began), plain.stat().st_size))
        shutil.rmtree(folder, ignore_errors=True)
    return results


def measure_storm(bench):
    """What came of many programs that crash at once."""
    folder = bench.folder()
    configuration = bench.configuration(folder)
    (folder / "spool").mkdir()
    watch = quiet.Watch()
    times = bench.trial("storm", ["--copies", str(STORM)], [bench.program("victim-cairn"), "1", "0", "0"],
                        folder, {"BENCH_CONFIG": str(configuration)})
    peak_processes, peak_mib = watch.stop()
    whole = {json.loads(path.read_text())["crash"]["pid"]
             for path in folder.glob("spool/*/*/*/report.json")
             if path.parent.parent.name in ("pending", "delivered")
             and (path.parent / "dump.dmp").read_bytes()[:4] == b"MDMP"}
    shutil.rmtree(folder, ignore_errors=True)
    return {"whole": len(whole), "seconds": (times or {}).get("settled", 0) / 1e6,
            "processes": peak_processes, "mib": peak_mib}


def describe_machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    release = os.uname().release
    return (f"{os.cpu_count()} processors ({cpu}), Linux {release}, load average "
            f"{os.getloadavg()[0]:.1f} at the start, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="folder of the built programs")
    parser.add_argument("--stage", required=True, help="prefix of a staged installation")
    parser.add_argument("--library", required=True, help="libcairn.so, for its size")
    parser.add_argument("--output", help="folder for bench.txt, bench.json and the plot")
    parser.add_argument("--subject", action="append", default=[], metavar="NAME=COMMAND",
                        help="one more reporter: COMMAND runs its arguments as the victim; {folder} is watched for *.dmp")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=THREADS)
    parser.add_argument("--quick", action="store_true", help="a third of the rounds, threads only")
    return parser.parse_args()


def measure(options, scratch):
    bench = Bench(options, scratch)
    subjects = subjects_of(bench, options)
    results = {"machine": describe_machine(), "crashes": []}
    results["idle"] = quiet.measure(bench, 5 if options.quick else 21, options.library)
    for case in crash_cases(options):
        print(f"... {case.label}", file=sys.stderr, flush=True)
        results["crashes"].append((case, measure_case(bench, subjects, case)))
    print("... plugins and storm", file=sys.stderr, flush=True)
    results["plugins"] = measure_plugins(bench, options)
    results["storm"] = measure_storm(bench)
    results["zstd"] = [] if options.quick else measure_zstd(bench)
    results["failures"] = bench.failures
    return results


def main():
    options = parse_arguments()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as scratch:
        results = measure(options, pathlib.Path(scratch))
    text, missed = table.render(results)
    text += f"\n{time.monotonic() - began:.0f} seconds in all.\n"
    print(text)
    if options.output:
        table.save(pathlib.Path(options.output), text, results)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
