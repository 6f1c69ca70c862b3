# SPDX-License-Identifier: Apache-2.0
"""From measured rounds to tables, verdicts and a plot.

A quotient is figure / allowed, made per round from what ran side by side; 1 is just on target. The
noise is their spread: a target is missed only when three quarters of the rounds are beyond it.
"""

import json
import shutil
import statistics
import subprocess


def quartiles(values):
    """(lower quartile, median, upper quartile)"""
    if len(values) < 2:
        return (values[0],) * 3 if values else None
    lower, middle, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, middle, upper


def milliseconds(microseconds):
    value = microseconds / 1000
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def spread(values):
    """"median (lower-upper)" in milliseconds."""
    found = quartiles(values)
    if found is None:
        return "-"
    lower, middle, upper = (milliseconds(value) for value in found)
    return f"{middle} ({lower}-{upper})"


def column(rounds, name, key):
    return [times[key] for times in rounds.get(name, []) if times is not None and key in times]


def paired(rounds, function, *names):
    """function(times of each name) for every round that all of them took part in."""
    quotients = []
    for group in zip(*(rounds[name] for name in names)):
        if all(times is not None for times in group):
            try:
                quotients.append(function(*group))
            except (KeyError, ZeroDivisionError):
                pass
    return quotients


def grid(rows):
    """Rows of texts with aligned columns; the first column to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [text.ljust(width) if i == 0 else text.rjust(width)
                 for i, (text, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


class Target:
    """One line of the table of targets. `binding`: a miss fails the benchmark. Without `allowed` it is
    there to compare another line with."""

    def __init__(self, what, figure, allowed, quotients, binding=True):
        self.what, self.figure, self.allowed, self.binding = what, figure, allowed, binding
        self.quotients = quotients

    def verdict(self):
        if self.allowed is None:
            return "to compare with"
        if not self.quotients:
            return "not measured"
        lower, middle, _ = quartiles(self.quotients)
        if middle <= 1:
            return "ok"
        if not self.binding:
            return "over"
        return "within noise" if lower <= 1 else "MISSED"

    def row(self):
        found = quartiles(self.quotients)
        quotient = "-" if found is None else f"{found[1]:.2f} ({found[0]:.2f}-{found[2]:.2f})"
        return [self.what, self.figure, self.allowed or "-", quotient, self.verdict()]


def dump_target(case, rounds, factor, extra_us, binding=True):
    allowed = lambda limit: factor * limit["dump"] + extra_us
    return Target(
        f"dump complete, {case.label}", spread(column(rounds, "cairn", "dump")) + " ms",
        f"{factor} x limit" + (" + 0.5 ms" if extra_us else ""),
        paired(rounds, lambda cairn, limit: cairn["dump"] / allowed(limit), "cairn", "limit"), binding)


def gone_target(case, rounds):
    allowed = lambda limit, none: 1.5 * limit["limit-released"] + none["gone"] + 300
    return Target(
        f"process gone, {case.label}", spread(column(rounds, "cairn", "gone")) + " ms",
        "1.5 x capture + death + 0.3 ms",
        paired(rounds, lambda cairn, limit, none: cairn["gone"] / allowed(limit, none), "cairn", "limit", "none"))


def growth_target(crashes, name, allowed):
    """Time per thread at 5000 against that at 100."""
    by_threads = {case.threads: rounds for case, rounds in crashes if case.modules == case.heap == 0}
    if 100 not in by_threads or 5000 not in by_threads:
        return []
    few, many = (column(by_threads[n], name, "dump") for n in (100, 5000))
    if not few or not many:
        return []
    per_thread = statistics.median(few) / 100
    growth = [value / 5000 / per_thread for value in many]
    return [Target(f"growth of {name}, 100 to 5000 threads", f"{statistics.median(growth):.2f} x per thread",
                   allowed and f"{allowed} x", [value / allowed for value in growth] if allowed else [])]


def full_targets(case, rounds):
    rate = lambda times: case.heap * 1.048576e6 / times["dump"]
    rates = [statistics.median([rate(times) for times in rounds[name] if times is not None] or [0])
             for name in ("cairn", "core")]
    peaks = column(rounds, "cairn", "peak")
    return [
        Target("memory: full, throughput", f"{rates[0]:.0f} MB/s", f"0.5 x core's {rates[1]:.0f} MB/s",
               paired(rounds, lambda cairn, core: 0.5 * rate(core) / rate(cairn), "cairn", "core")),
        Target("memory: full, the monitor's own memory", f"{max(peaks, default=0) / 1024:.1f} MiB", "32 MiB",
               [peak / 1024 / 32 for peak in peaks]),
    ]


def crash_targets(crashes):
    targets = []
    for case, rounds in crashes:
        if case.heap > 0:
            targets += full_targets(case, rounds)
        elif case.modules > 0:
            few = case.modules < 3000  # what a report costs by itself is not yet little beside them
            targets.append(dump_target(case, rounds, 1.5, 500 if few else 0, not few))
        else:
            targets.append(dump_target(case, rounds, 2.0, 500 if case.threads <= 10 else 0))
            targets.append(gone_target(case, rounds))
    return targets + growth_target(crashes, "cairn", 1.2) + growth_target(crashes, "limit", None)


def report_targets(plugins, storm):
    few, some, many = sorted(plugins)
    none = plugins[few]
    each_of_some = [(b - a) / (some - few) for a, b in zip(none, plugins[some])]
    each_of_many = [(b - a) / (many - few) for a, b in zip(none, plugins[many])]
    linear = [b / a / 1.2 for a, b in zip(each_of_some, each_of_many) if a > 0]
    return [
        Target("report.json committed, 1 thread", spread(none) + " ms", "15 ms",
               [value / 15000 for value in none], False),
        Target(f"each of {some}, of {many} more annotators",
               f"{spread(each_of_some)}, {spread(each_of_many)} ms", "1.2 x", linear, False),
        Target(f"crash storm of 200, in {storm['seconds']:.1f} s", f"{storm['whole']} whole reports", "200",
               [200 / max(storm["whole"], 1)]),
    ]


def zstd_targets(rounds):
    """The text writer takes its turn in the same stage; it is a millisecond."""
    if not rounds:
        return []
    writers, alone = (statistics.median([size / times[i] for *times, size in rounds]) for i in (0, 1))
    return [Target("memory: full, zstd", f"{writers:.0f} MB/s", f"1.25 x the time of zstd, sync, sha256sum: {alone:.0f} MB/s",
                   [ours / theirs / 1.25 for ours, theirs, _ in rounds], False)]


def idle_targets(idle):
    def target(what, key, unit, allowed, scale=1):
        values = [value / scale for value in idle[key]]
        found = quartiles(values)
        figure = "-" if found is None else f"{found[1]:.4g} {unit}"
        return Target(what, figure, f"{allowed} {unit}", [value / allowed for value in values], False)

    return [
        target("cairn_start", "start", "ms", 2, 1000),
        target("cairn_start, without waiting", "start-no-wait", "ms", 0.3, 1000),
        target("annotation set", "annotation", "ns", 100),
        target("breadcrumb", "breadcrumb", "ns", 200),
        target("program's extra memory (PSS)", "program", "KiB", 150),
        target("idle monitor (PSS)", "monitor", "KiB", 500),
        target("text of libcairn", "text", "KiB", 64, 1024),
    ]


def side_by_side(crashes, key, title):
    names = [name for name in crashes[0][1] if not name.startswith("tier")]
    rows = [[title, *names, "cairn / limit"]]
    for case, rounds in crashes:
        ratio = quartiles(paired(rounds, lambda cairn, limit: cairn[key] / limit[key], "cairn", "limit"))
        rows.append([case.label, *(spread(column(rounds, name, key)) for name in names),
                     "-" if ratio is None else f"{ratio[1]:.2f}"])
    return grid(rows)


def tiers(crashes):
    """Without the monitor the dump gets its name from whoever recovers it: an engine that starts first."""
    names = [name for name in crashes[0][1] if name.startswith("tier")]
    rows = [["without the monitor", *(f"{name}: {what}" for name in names for what in ("gone", "dump named"))]]
    for case, rounds in crashes:
        cells = [spread(column(rounds, name, key)) for name in names for key in ("gone", "dump")]
        if any(cell != "-" for cell in cells):
            rows.append([case.label, *cells])
    return grid(rows)


LIMIT_STEPS = ["woken", "seized", "stopped", "registers", "files", "room", "read", "released", "written"]


def steps_of_limit(crashes):
    """Where the time of the bare program goes, step by step."""
    rows = [["limit, ms per step", *LIMIT_STEPS]]
    for case, rounds in crashes:
        at, cells = [0], []
        for step in LIMIT_STEPS:
            values = column(rounds, "limit", f"limit-{step}")
            at.append(statistics.median(values) if values else at[-1])
            cells.append(milliseconds(at[-1] - at[-2]) if values else "-")
        if any(cell != "-" for cell in cells):
            rows.append([case.label, *cells])
    return grid(rows)


def stages_of_cairn(crashes):
    stages = sorted({key for _, rounds in crashes for times in rounds["cairn"] if times
                     for key in times if key.startswith("stage ")})
    rows = [["cairn, ms per stage", *(stage.removeprefix("stage ").removesuffix("_us") for stage in stages)]]
    for case, rounds in crashes:
        cells = [column(rounds, "cairn", stage) for stage in stages]
        rows.append([case.label, *(milliseconds(statistics.median(values)) if values else "-" for values in cells)])
    return grid(rows)


def render(results):
    """(the whole text, whether a binding target is missed)"""
    crashes, storm = results["crashes"], results["storm"]
    targets = (crash_targets(crashes) + zstd_targets(results["zstd"]) + report_targets(results["plugins"], storm)
               + idle_targets(results["idle"]))
    missed = any(target.verdict() == "MISSED" for target in targets)
    parts = [
        f"Cairn's benchmark. {results['machine']}.",
        "Milliseconds from just before the faulting instruction (gcore, lldb: from their start): "
        "median (lower quartile-upper quartile).",
        side_by_side(crashes, "dump", "dump complete"),
        side_by_side(crashes, "gone", "process gone"),
        tiers(crashes),
        steps_of_limit(crashes),
        stages_of_cairn(crashes),
        grid([["target", "figure", "allowed", "figure / allowed", "verdict"], *(target.row() for target in targets)]),
        f"The storm had at most {storm['processes']} processes and {storm['mib']} MiB more than before it.",
    ]
    if results["failures"]:
        parts.append("Runs that failed:\n" + "\n".join(sorted(set(results["failures"]))))
    return "\n\n".join(parts) + "\n", missed


PLOT = """\
set terminal svg size 1000,520 dynamic background rgb 'white'
set output 'bench.svg'
set multiplot layout 1,2
set logscale xy
set grid
set xlabel 'threads'
set ylabel 'milliseconds from the fault'
set key left top
"""


def curves(crashes, key, title):
    """(data blocks, plot command): one curve per subject, of medians."""
    points = [(case, rounds) for case, rounds in crashes if case.modules == case.heap == 0]
    blocks, lines = [], []
    for index, name in enumerate(points[0][1]):
        rows = [(case.threads, statistics.median(values) / 1000) for case, rounds in points
                if (values := column(rounds, name, key))]
        if rows:
            block = f"${key}{index}"
            blocks.append(f"{block} << END\n" + "".join(f"{x} {y:.4f}\n" for x, y in rows) + "END\n")
            lines.append(f"{block} using 1:2 with linespoints linestyle {index + 1} title '{name}'")
    return "".join(blocks), f"set title '{title}'\nplot {', '.join(lines)}\n"


def plot(folder, crashes):
    """bench.gnuplot holds its data, and draws beside itself."""
    script = PLOT
    for key, title in (("dump", "the dump is complete"), ("gone", "the process is gone")):
        script += "".join(curves(crashes, key, title))
    (folder / "bench.gnuplot").write_text(script)
    if shutil.which("gnuplot"):
        subprocess.run(["gnuplot", "bench.gnuplot"], check=False, cwd=folder)


def save(folder, text, results):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.txt").write_text(text)
    raw = dict(results, crashes=[{"case": vars(case), "rounds": rounds} for case, rounds in results["crashes"]])
    (folder / "bench.json").write_text(json.dumps(raw, indent=1))
    plot(folder, results["crashes"])
