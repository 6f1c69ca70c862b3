# SPDX-License-Identifier: Apache-2.0
"""Judges one run: what the report says, what other readers see in the minidump, what is left.

A verdict has a column for each question. "ok" passed, "-" was not asked, anything else is the fault.
"""

import glob
import json
import os
import re
import signal
import subprocess

import matrix_run

COLUMNS = ("report", "reason", "thread", "site", "walk", "lldb", "message", "exit", "rest")
OK, NONE = "ok", "-"


class Judge:
    def __init__(self, place, readers, tier, with_lldb):
        self.place = place
        self.stackwalk = os.path.join(readers, "minidump_stackwalk")
        self.have_stackwalk = os.access(self.stackwalk, os.X_OK)
        self.tier = tier
        self.with_lldb = with_lldb
        self.symbols = {}

    def extent(self, program, name):
        """Where a function lies in a victim: first and last offset."""
        if program not in self.symbols:
            lines = subprocess.run(["nm", "-S", "--defined-only", program], capture_output=True,
                                   text=True, check=True).stdout.splitlines()
            fields = [line.split() for line in lines]
            self.symbols[program] = {f[3]: (int(f[0], 16), int(f[0], 16) + int(f[1], 16))
                                     for f in fields if len(f) == 4}
        return self.symbols[program].get(name, (0, 0))


def find_reports(spool):
    return sorted(glob.glob(f"{spool}/*/pending/*/report.json") +
                  glob.glob(f"{spool}/*/delivered/*/report.json"))


def leftovers(spool):
    """What no whole report has: files in incoming or quarantine, temporary ones anywhere."""
    found = []
    for folder, _, names in os.walk(spool):
        parts = os.path.relpath(folder, spool).split(os.sep)
        for name in names:
            if name.endswith((".tmp", ".part")) or name == "writer.part" or \
                    set(parts) & {"incoming", "quarantine"}:
                found.append(name)
    return found


def log_lines(spool):
    lines = []
    for path in glob.glob(f"{spool}/*/cairn.log"):
        with open(path, encoding="utf-8", errors="replace") as file:
            lines += file.read().splitlines()
    return lines


def judge_absence(row, spool, verdict):
    """The crash is to be left alone, or the report cannot be kept, which the log has to say."""
    reports = find_reports(spool)
    if reports:
        verdict["report"] = f"{len(reports)} reports"
    elif row.outcome == "log":
        lines = [line for line in log_lines(spool) if "No space left" in line or "full" in line]
        verdict["report"] = OK if lines else "no line in cairn.log"
    else:
        verdict["report"] = OK


def judge_death(row, spool, verdict):
    """No handler has run: one report, which knows the signal and nothing of the crash."""
    report, _ = load_report(spool, verdict)
    if report and (report["kind"], report["crash"]["signal"]) != ("death", row.signal):
        verdict["report"] = f"{report['kind']} {report['crash']['signal']}"


def load_report(spool, verdict):
    reports = find_reports(spool)
    if len(reports) != 1:
        verdict["report"] = f"{len(reports)} reports"
        lines = log_lines(spool)
        if lines:
            verdict["detail"].append("cairn.log: " + lines[-1])
    if not reports:
        return None, None
    with open(reports[0], encoding="utf-8") as file:
        return json.load(file), os.path.join(os.path.dirname(reports[0]), "dump.dmp")


def walk_of(report):
    return [frame.get("symbol") or "?" for frame in report["frames"]]


def judge_report(row, report, tier, verdict):
    crash = report["crash"]
    symbols = walk_of(report)
    verdict["tier"] = str(report["tier"])
    verdict["detail"] += report["notes"]
    if report["kind"] == "death" and \
            not any(f"its crash by signal {int(signal.SIGSEGV)} " in note for note in report["notes"]):
        verdict["report"] = "a death that says nothing of the crash"
    if report["kind"] != "death" and report["tier"] not in range(tier, max(tier, row.lowest) + 1):
        verdict["report"] = f"tier {report['tier']}"
    if (crash["signal"], crash.get("code") in row.codes) != (row.signal, True):
        verdict["reason"] = f"{crash['signal']} {crash.get('code')}"
    if crash.get("thread") != row.thread:
        verdict["thread"] = str(crash.get("thread"))
    if row.message and not re.search(row.message, crash["message"] or ""):
        verdict["message"] = str(crash["message"])
    first = report["frames"][0] if report["frames"] else {}
    name = first.get("module") or ""
    wanted = "matrix_" if row.module == "victim" else row.module
    if not name.startswith(wanted) or (not wanted and name):
        verdict["site"] = f"in {name or 'nothing'}"
    elif row.site and symbols[:1] != [row.site]:
        verdict["site"] = f"in {symbols[:1]}"
    judge_walk(row, symbols, row.kept if report["tier"] > 1 and row.kept else row.frames, verdict)


def judge_walk(row, symbols, frames, verdict):
    if not row.walk:
        verdict["walk"] = NONE
    elif row.walk not in symbols:
        verdict["walk"] = f"ends in {symbols[-1] if symbols else 'nothing'}, {len(symbols)} frames"
    elif row.through and not set(row.through.split("|")) & set(symbols):
        verdict["walk"] = f"not through {row.through}"
    elif len(symbols) < frames:
        verdict["walk"] = f"only {len(symbols)} frames"


def judge_by_stackwalk(row, mode, report, dump, judge, verdict):
    """Breakpad's reader: the reason, and module and offset of the crashed thread's first frame."""
    run = subprocess.run([judge.stackwalk, "-m", dump], capture_output=True, text=True, check=False,
                         timeout=120, errors="replace")
    lines = [line.split("|") for line in run.stdout.splitlines()]
    crash = next((line for line in lines if line[0] == "Crash"), None)
    if crash is None or len(crash) < 4 or not crash[3].isdigit():
        verdict["thread"] = "none, says stackwalk"
        return
    if not crash[1].startswith(row.signal):
        verdict["reason"] = f"{crash[1]}, says stackwalk"
    frame = next((line for line in lines if line[:2] == [crash[3], "0"] and len(line) >= 7), None)
    if frame is None:
        verdict["site"] = "no frame, says stackwalk"
        return
    threads = len({line[0] for line in lines if line[0].isdigit()})
    if threads < row.threads:
        verdict["thread"] = f"only {threads} threads, says stackwalk"
    ours = report["frames"][0]
    offset = ours.get("module_offset") if ours.get("module") else ours["address"]
    if (frame[2], int(frame[6], 16)) != (ours.get("module") or "", int(offset, 16)):
        verdict["site"] = f"{frame[2]}+{frame[6]}, says stackwalk"
    if row.module == "victim" and row.site:
        first, behind = judge.extent(matrix_run.victim(judge.place, mode), row.site)
        if not first <= int(frame[6], 16) < behind:
            verdict["site"] = f"not in {row.site}, says stackwalk"


def judge_by_lldb(row, dump, verdict):
    run = subprocess.run(["lldb", "--batch", "--no-lldbinit", "-o", f"target create -c {dump}",
                          "-o", "bt"], capture_output=True, text=True, check=False, timeout=120,
                         errors="replace", env=dict(os.environ, DEBUGINFOD_URLS=""))
    frames = re.findall(r"frame #\d+: 0x[0-9a-f]+ [^`]*`([A-Za-z_0-9]+)", run.stdout)
    # Where the first address is no code LLDB 14 takes the frame pointer's word and skips a caller.
    if row.walk and row.walk not in frames:
        verdict["lldb"] = f"ends in {frames[-1] if frames else 'nothing'}"
    else:
        verdict["lldb"] = OK if row.walk else NONE


def judge(row, mode, bare, run, spool, judge_state, quick=False):
    """The verdict on a run, compared with one without Cairn."""
    verdict = {column: OK for column in COLUMNS}
    verdict.update(lldb=NONE, tier=NONE, detail=[], ms=run.ms, bare_ms=bare.ms)
    if not row.message:
        verdict["message"] = NONE
    if run.status is None:
        verdict["exit"] = "hung"
    elif run.ended() != bare.ended():
        verdict["exit"] = f"{run.ended()}, not {bare.ended()}"
    if run.left_over:
        verdict["rest"] = "processes: " + " ".join(sorted(set(run.left_over)))
    torn = leftovers(spool)
    if row.outcome == "log":  # what waits there for room is not torn
        torn = [name for name in torn if name.endswith((".tmp", ".part"))]
    if torn:
        verdict["rest"] = "files: " + " ".join(torn)
    absent = mode in row.alone or row.outcome != "report"
    report = None
    if absent:
        judge_absence(row, spool, verdict)
    elif mode in row.death:
        judge_death(row, spool, verdict)
    else:
        report, dump = load_report(spool, verdict)
    if report is None:
        for column in ("reason", "thread", "site", "walk", "message"):
            verdict[column] = NONE
        if verdict["report"] != OK and run.output.strip():
            verdict["detail"].append("output: " + run.output.strip().splitlines()[-1])
        return verdict
    judge_report(row, report, judge_state.tier, verdict)
    lost = row.never + (row.lost if report["tier"] > 1 else ())
    if judge_state.have_stackwalk and not quick and report["frames"]:
        judge_by_stackwalk(row, mode, report, dump, judge_state, verdict)
    if judge_state.with_lldb and not quick:
        judge_by_lldb(row, dump, verdict)
    verdict.update({column: "lost" for column in lost if verdict[column] not in (OK, NONE)})
    return verdict


def faults(verdict):
    return [column for column in COLUMNS if verdict[column] not in (OK, NONE, "lost")]
