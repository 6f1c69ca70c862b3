# SPDX-License-Identifier: Apache-2.0
"""One crash of the trials of freezes.py: how it is made, and what has to be true of it when all is over."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

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


def comm(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def finish(trial, tiers):
    """What another start of the program does about what was left behind; then there is the one report."""
    trial.recover()
    trial.run("cairn-sender", "--spool", str(trial.spool), "--application", "victim", "--now", "--quiet")
    trial.await_nobody(PIPELINE + LOAD)
    trial.check(tiers)
