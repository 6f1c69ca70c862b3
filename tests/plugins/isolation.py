# SPDX-License-Identifier: Apache-2.0
"""The rows of isolation.sh: writes a configuration with every fault in one call of one kind, each followed by a
witness, and judges the report that was made with it: lines "PASS what" and "FAIL what: why"."""
import json
import re
import sys

SECTIONS = {"filter": "filters", "annotator": "annotators", "writer": "writers", "hook": "hooks",
            "transport": "transports"}

# Of its 100 ms a busy machine may have used some before the step begins.
LATE = r"did not finish within (100|[1-9]?[0-9]) ms\."

# What the note must say; None: no harm to anybody, so the contribution is kept and there is no note.
FAULTS = {
    "crash": r"was ended by SIGSEGV\.",
    "abort": r"was ended by SIGABRT\.",
    "exit-0": r"ended its process with exit code 0\.",
    "exit-3": r"ended its process with exit code 3\.",
    "hang": LATE,
    "deaf": LATE,
    "descriptors": None,
    "memory": r"was ended by SIGSEGV\.",
    "flood": LATE,
    "overflow": r"wrote more than its output limit of 1048576 bytes\.",
    "linger": None,
    "wander": None,
    "heap": r"was ended by SIG(ABRT|SEGV)\.",
    "nonsense": None,  # see below
    "garbage": r"sent .*\.",
    "chatter": None,
    "close": r"ended its process with exit code 0\.",
    "network": None,
    "program": None,
    "others": None,
}

NONSENSE = {
    "check": r"refuses its options: it does not say why\.",
    "create": r"failed without saying why\.",
    "call": r"failed without saying why\.",
    "destroy": r"sent .*\.",
}


def expected(kind, call, fault):
    if fault == "nonsense":
        if call == "call" and kind == "filter":
            return r"answered 4711, which is neither keep nor drop\."
        if call == "call" and kind == "transport":
            return r"answered 4711, which is no outcome\."
        return NONSENSE[call]
    return FAULTS[fault]


# A plugin that may fork can leave something behind, too.
RIGHTS_FAULTS = {"able": ("network", "program", "linger"), "online": ("network", "program", "others"),
                 "starter": ("network", "program", "others", "linger")}


# (instance, plugin, fault): each fault, with a witness after it; then those with capabilities.
def instances():
    for fault in FAULTS:
        yield fault, "fault", fault
        yield "after-" + fault, "fault", "none"
    for plugin in "able", "online", "starter":
        for fault in RIGHTS_FAULTS[plugin]:
            yield plugin + "-" + fault, plugin, fault


def write(kind, call, spool):
    names = [name for name, _, _ in instances()]
    print("version: 1")
    print(f"application: {{ name: {kind}-{call} }}")
    print(f"engine: {{ spool: {spool}, clocks: {{ pipeline: 5m }} }}")
    print(SECTIONS[kind] + ":")
    for name, plugin, fault in instances():
        timeout = "100ms" if fault in ("hang", "flood", "deaf") else "10s"
        print(f"  {name}: {{ plugin: {plugin}, fault: {fault}, call: {call}, timeout: {timeout},"
              f" memory_limit: 32MiB, output_limit: 1MiB }}")
    print(f"pipelines: {{ default: {{ {SECTIONS[kind]}: [{', '.join(names)}] }} }}")


def contributed(kind, name, report):
    if kind in ("annotator", "hook"):
        return report["attributes"].get(name) == "contributed"
    if kind == "filter":
        return f"{name}: contributed" in report["notes"]
    if kind == "writer":
        return any(artifact["name"] == name + ".txt" for artifact in report["artifacts"])
    return any(d["transport"] == name and d["state"] == "delivered" for d in report["deliveries"])


# What the report says of an instance: its notes, or the error of its delivery.
def said(kind, name, report):
    label = f'{kind} "{name}" '
    notes = [note[len(label):] for note in report["notes"] if note.startswith(label)]
    notes += [d["error"][len(label):] for d in report["deliveries"]
              if d["transport"] == name and (d.get("error") or "").startswith(label)]
    return notes


# What the instance itself noted; a transport's notes are kept nowhere, the id from its server is.
def noted(kind, name, report):
    if kind == "transport":
        return [d.get("server_id") or "" for d in report["deliveries"] if d["transport"] == name]
    return [note[len(name) + 2:] for note in report["notes"] if note.startswith(name + ": ")]


RIGHTS = {
    "fault": ("refused", "refused", "none"),
    "able": ("there", "there", ""),
    "online": ("there", "refused", "(io_uring|none)"),
    "starter": ("refused", "there", "signals limits exec vfork clone3"),
}


def judge_rights(plugin, fault, notes):
    network, programs, ways = RIGHTS[plugin]
    if fault == "others":
        wanted = f"ways out: {ways}; a thread is there"
        return None if any(re.fullmatch(wanted, note) for note in notes) else f"{notes} lacks: {wanted}"
    wanted = (f"the network is {network}, the machine is there" if fault == "network"
              else f"other programs are {programs}")
    return None if wanted in notes else f"{notes} lacks: {wanted}"


def judge_one(kind, call, name, plugin, fault, report):
    wanted = expected(kind, call, fault) if fault != "none" else None
    notes, kept = said(kind, name, report), contributed(kind, name, report)
    if wanted is None:
        if notes or not kept:
            return f"its contribution is {'kept' if kept else 'lost'}, the report says {notes}"
        if fault in ("network", "program", "others"):
            return judge_rights(plugin, fault, noted(kind, name, report))
        return None
    if kept:
        return "its contribution is kept"
    if len(notes) != 1 or not re.fullmatch(wanted, notes[0]):
        return f"the report says {notes} instead of {wanted}"
    return None


def judge(kind, call, path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    for name, plugin, fault in instances():
        wrong = judge_one(kind, call, name, plugin, fault, report)
        what = ("the witness " if fault == "none" else "") + name
        print(f"PASS {what}" if wrong is None else f"FAIL {what}: {wrong}")


if sys.argv[1] == "write":
    write(*sys.argv[2:])
else:
    judge(*sys.argv[2:])
