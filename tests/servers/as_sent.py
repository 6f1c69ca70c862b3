#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what `cairn show --as-sent --json` says with what tests/servers/receiver.py was sent.

    as_sent.py SHOWN.json RECEIVED-FOLDER

Prints every difference, and "same" when there is none.
"""

import hashlib
import json
import os
import sys

# Made by libcurl from the address and the body.
TRANSFER_HEADERS = {"host", "content-length"}


def headers(shown, received):
    """Differences of the headers."""
    known = {item["name"].lower(): item["value"] for item in shown["headers"]}
    for name in sorted(set(known) ^ (set(received["headers"]) - TRANSFER_HEADERS)):
        yield "header %s is only in one of them" % name
    for name in sorted(set(known) & set(received["headers"])):
        value = received["headers"][name]
        if name == "content-type":
            value = value.split(";")[0]
        if known[name] not in (value, "(hidden)"):
            yield "header %s: shown %r, sent %r" % (name, known[name], value)


def fields(shown, received):
    """Differences of the fields, whose order is that of the parts."""
    ours = [(item["name"], item["value"]) for item in shown["fields"]]
    theirs = received["fields"]
    if len(ours) != len(theirs):
        yield "%d fields shown, %d sent" % (len(ours), len(theirs))
    for name, value in ours:
        if theirs.get(name) != value:
            yield "field %s: shown %r, sent %r" % (name, value, theirs.get(name))


def files(shown, received, folder):
    """Differences of the files."""
    if len(shown["files"]) != len(received["files"]):
        yield "%d files shown, %d sent" % (len(shown["files"]), len(received["files"]))
    for ours, theirs in zip(shown["files"], received["files"]):
        with open(os.path.join(folder, theirs["stored"]), "rb") as file:
            theirs["sha256"] = hashlib.sha256(file.read()).hexdigest()
        for key in ("name", "filename", "type", "bytes", "sha256"):
            if ours[key] != theirs[key]:
                yield "file %s: %s: shown %r, sent %r" % (ours["name"], key, ours[key], theirs[key])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        shown = json.load(file)
    with open(os.path.join(sys.argv[2], "request.json"), encoding="utf-8") as file:
        received = json.load(file)
    problems = []
    if shown["method"] != received["method"]:
        problems.append("method: shown %r, sent %r" % (shown["method"], received["method"]))
    problems += headers(shown, received)
    problems += fields(shown, received)
    problems += files(shown, received, sys.argv[2])
    print("\n".join(problems) or "same")


if __name__ == "__main__":
    main()
