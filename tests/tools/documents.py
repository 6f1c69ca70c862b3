# SPDX-License-Identifier: Apache-2.0
"""Holds the documents against the command. Subcommands, all of which print one fault a line:

yaml FOLDER FILE...     writes every YAML example of Markdown files and manual pages into the folder, with the
                        files that it names replaced by one of ours; prints their names
code FOLDER FILE...     writes every example in C of Markdown files as a program into the folder; prints their names
options HELP PAGE COMPLETION
                        every option that `cairn COMMAND --help` knows, from the folder HELP, stands in the manual
                        page's synopsis and list, and in the completion; and the reverse
commands FILE...        every option of a `cairn` command in an example is one that its --help knows
keys SCHEMA FILE...     every key of the configuration that is Cairn's own stands in the documents
"""
import json
import os
import re
import sys

OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def blocks(path):
    """The code blocks of a Markdown file, or the literal displays of a manual page."""
    if path.endswith(".md"):
        for info, text in re.findall(r"^```([^\n]*)\n(.*?)^```$", read(path), re.M | re.S):
            yield info.split(), text
        return
    for text in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", read(path), re.M | re.S):
        yield ["yaml" if re.search(r"^\w+:", text, re.M) else "console"], text.replace("\\e", "\\")


def yaml(folder, paths):
    token = os.path.join(folder, "token")
    with open(token, "w", encoding="utf-8") as file:
        file.write("secret\n")
    os.chmod(token, 0o600)
    for path in paths:
        count = 0
        for info, text in blocks(path):
            if info[:1] != ["yaml"] or not re.search(r"^[^#\s]", text, re.M):
                continue
            count += 1
            name = f"{os.path.basename(path)}-{count}.yaml"
            text = re.sub(r"\$\{file:[^}]*\}", "${file:" + token + "}", text)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
            print(name)


# ---- code

def program(info, text):
    """A whole program, of which the tutorial's have their own names; None: it is not meant to be compiled."""
    if info == ["c++", "example"]:
        return "cc", text
    if info == ["c"] and "cairn_start(" in text:
        return "c", ("#include <cairn/cairn.h>\n#include <stdio.h>\n"
                     f"int main(void)\n{{\n{text}    return 0;\n}}\n")
    return None


def code(folder, paths):
    for path in paths:
        for info, text in blocks(path):
            found = program(info if path.endswith(".md") else ["c"], text)
            if found is not None:
                name = f"{os.path.basename(path)}.{found[0]}"
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(found[1])
                print(name)


# ---- options

def help_options(text):
    return set(OPTION.findall(text)) - {"--", "--help", "-h"}


def helps(folder):
    return {name: help_options(read(os.path.join(folder, name))) for name in sorted(os.listdir(folder))}


def plain(option):
    """mdoc's and getopt's names of the same: -c and --config are one option."""
    return {"-c": "--config", "-o": "--options"}.get(option, option)


def page_options(text):
    """Those of each command in the synopsis, by the macro Fl; and all in the list of options."""
    synopsis = text.split(".Sh SYNOPSIS")[1].split(".Sh DESCRIPTION")[0]
    found = {}
    for part in re.split(r"^\.Nm\n", synopsis, flags=re.M)[1:]:
        command = re.match(r"\.Cm (\w+)", part)
        if command is None:
            continue
        flags = re.findall(r"(?:Fl|\|) (-?[a-z][a-z-]*)", "\n".join(
            line for line in part.splitlines() if "Fl" in line))
        found.setdefault(command[1], set()).update(plain("-" + flag) for flag in flags)
    listed = text.split("The options are:")[1].split(".El")[0]
    names = re.findall(r"(-[a-z][a-z-]+|\b[a-z]\b)(?= ?,| |$)", "\n".join(
        line.removeprefix(".It Fl ") for line in listed.splitlines() if line.startswith(".It Fl")), re.M)
    return found, {plain("-" + name) for name in names}


def options(folder, page, completion):
    known = {name: {plain(option) for option in found} for name, found in helps(folder).items()}
    synopsis, listed = page_options(read(page))
    completed = read(completion)
    faults = 0
    for name in sorted(known.keys() | synopsis.keys()):
        for option in sorted(known.get(name, set()) - synopsis.get(name, set())):
            print(f"{os.path.basename(page)}: the synopsis of {name} lacks {option}")
            faults += 1
        for option in sorted(synopsis.get(name, set()) - known.get(name, set())):
            print(f"cairn {name} --help lacks {option}")
            faults += 1
    everything = set().union(*known.values())
    for option in sorted(everything - listed):
        print(f"{os.path.basename(page)}: the list of options lacks {option}")
        faults += 1
    for option in sorted(listed - everything - {"--help", "--version"}):
        print(f"no --help has {option}, which {os.path.basename(page)} lists")
        faults += 1
    for option in sorted(everything):
        if not re.search(rf"[ \"]{option}[ \"]", completed):
            print(f"{os.path.basename(completion)}: the completion lacks {option}")
            faults += 1
    return faults


def command_lines(text):
    """What follows "cairn" in each command, which stands behind a prompt where there is one."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    prompted = [line for line in lines if line.startswith("$ ")]
    for line in prompted or lines:
        for part in re.split(r"[|;&()`]+", line.removeprefix("$ ")):
            words = part.split("#")[0].split()
            while words and re.match(r"^(\w+=|sudo$|until$|exec$)", words[0]):
                words = words[1:]
            if words[:1] == ["cairn"]:
                yield words[1:]


def own_options(words):
    """Those of Cairn's own, not of a program that it runs."""
    for word in words[1:]:
        if word == "--" or (words[0] == "run" and not word.startswith("-")):
            return
        if word.startswith("-"):
            yield word.split("=")[0]


def commands(folder, paths):
    known = helps(folder)
    faults = 0
    seen = 0
    for path in paths:
        for info, text in blocks(path):
            if info[:1] not in (["console"], ["sh"]):
                continue
            for words in command_lines(text):
                seen += 1
                if not words or (words[0] not in known and not words[0].startswith("-")):
                    print(f"{path}: there is no cairn {' '.join(words)}")
                    faults += 1
                    continue
                for option in own_options(words):
                    if option not in known.get(words[0], {"--help", "--version"}):
                        print(f"{path}: cairn {words[0]} has no {option}")
                        faults += 1
    if seen < 10:
        print(f"only {seen} commands were found")
    return faults + (seen < 10)


# ---- keys

def own_keys(schema, path=()):
    for key, value in schema.get("properties", {}).items():
        yield path + (key,)
        yield from own_keys(value, path + (key,))


def keys(schema, paths):
    faults = 0
    whole = json.loads(read(schema))
    found = list(own_keys(whole))
    for part in ("common", "pipeline"):
        found += own_keys(whole["definitions"][part], (part,))
    for path in paths:
        text = read(path)
        for key in found:
            if not re.search(rf"(`|Cm |, |\"|\.){re.escape(key[-1])}\b", text):
                print(f"{os.path.basename(path)} lacks {'.'.join(key)}")
                faults += 1
    return faults


def main():
    part, arguments = sys.argv[1], sys.argv[2:]
    if part in ("yaml", "code"):
        {"yaml": yaml, "code": code}[part](arguments[0], arguments[1:])
        return 0
    if part == "options":
        return options(*arguments) != 0
    return {"commands": commands, "keys": keys}[part](arguments[0], arguments[1:]) != 0


if __name__ == "__main__":
    sys.exit(main())
