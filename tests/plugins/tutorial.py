# SPDX-License-Identifier: Apache-2.0
"""Executes the tutorial of a Markdown file, as TAP. A block "```console" holds commands behind "$ " and what they
print, where "..." stands for anything; a block "```c NAME" or "```yaml NAME" is written to that file. All
commands run in one shell, so that cd and export count. A command must succeed."""
import re
import subprocess
import sys

MARK = "tutorial-mark-7d1f"


def blocks(path):
    with open(path, encoding="utf-8") as file:
        for info, text in re.findall(r"^```([^\n]*)\n(.*?)^```$", file.read(), re.M | re.S):
            yield info.split(), text


def commands(text):
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def pattern(expected):
    lines = []
    for line in expected.splitlines():
        anything = r"(.*\n)*?" if line == "..." else None
        lines.append(anything or ".*".join(re.escape(part) for part in line.split("...")) + r"\n")
    return "".join(lines)


class Shell:
    def __init__(self):
        self.process = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def run(self, command):
        self.process.stdin.write(f"{command} </dev/null\necho {MARK} $?\n")
        self.process.stdin.flush()
        output = []
        for line in self.process.stdout:
            if line.startswith(MARK):
                return "".join(output), int(line.split()[1])
            output.append(line)
        return "".join(output), -1


def write_file(shell, name, text):
    folder, _ = shell.run("pwd")
    with open(folder.strip() + "/" + name, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    shell, count, failed = Shell(), 0, 0
    for info, text in blocks(sys.argv[1]):
        if len(info) == 2 and info[0] in ("c", "yaml"):
            write_file(shell, info[1], text)
        if info[:1] != ["console"]:
            continue
        for command, expected in commands(text):
            output, status = shell.run(command)
            good = status == 0 and re.fullmatch(pattern(expected), output) is not None
            count += 1
            failed += not good
            print(f"{'' if good else 'not '}ok {count} - {command}", flush=True)
            if not good:
                print(f"# exit status {status}, expected:")
                print("".join("# | " + line + "\n" for line in expected.splitlines()) + "# it printed:")
                print("".join("# | " + line + "\n" for line in output.splitlines()), end="")
    print(f"1..{count}")
    return failed != 0


sys.exit(main())
