#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""said.py UNSEEN GOLDEN SOURCE...: every sentence that the C sources can say stands in a golden text.

A sentence is a string literal with words in it (adjacent ones are one); comments, the help of option tables and
#include lines are none. What a conversion like %s stands for may be anything. GOLDEN holds the golden texts one after
the other. Of the sources behind --calls=NAME only those in calls of a function of that name count, until the next
--calls. UNSEEN lists the
sentences that no test can have said, "FILE: SENTENCE", each below a comment with the reason.
Prints what is missing, and what is listed for nothing; the exit code is 1 then."""
import re
import sys

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|^[ \t]*#\s*include[^\n]*|(?P<help>\.help\s*=\s*)?(?P<text>(?:"(?:[^"\\\n]|\\.)*"\s*)+)'
    r"|'(?:[^'\\\n]|\\.)+'", re.S | re.M)
PART = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
CONVERSION = re.compile(r'%(?:%|[-+ #0]*[0-9*]*(?:\.[0-9*]+)?(?:hh|h|ll|l|z|j|t)?[a-zA-Z])')
ESCAPES = {'n': '\n', 't': '\t', '"': '"', '\\': '\\', '0': '\0'}


def sentences(source):
    for token in TOKEN.finditer(source):
        if token['text'] is None or token['help'] is not None:
            continue
        text = ''.join(PART.findall(token['text']))
        text = re.sub(r'\\(.)', lambda escape: ESCAPES.get(escape[1], escape[0]), text).strip()
        if re.search(r"[a-z'] [a-z]", CONVERSION.sub('x', text)):
            yield text


def pattern(text):
    parts, at = [], 0
    for conversion in CONVERSION.finditer(text):
        parts.append(re.escape(text[at:conversion.start()]))
        parts.append('%' if conversion[0] == '%%' else '.*?')
        at = conversion.end()
    return re.compile(''.join(parts) + re.escape(text[at:]))


def calls(source, name):
    """The arguments of the calls, without the rest of the source."""
    for call in re.finditer(r'\b%s\s*\(' % name, source):
        depth, at = 1, call.end()
        while depth > 0 and at < len(source):
            text = re.compile(r'"(?:[^"\\\n]|\\.)*"').match(source, at)
            depth += {'(': 1, ')': -1}.get(source[at], 0)
            at = text.end() if text else at + 1
        yield source[call.end():at]


def main():
    unseen, golden, *files = sys.argv[1:]
    with open(unseen, encoding='utf-8') as file:
        listed = {line.rstrip('\n') for line in file if line.strip() and not line.startswith('#')}
    with open(golden, encoding='utf-8', errors='replace') as file:
        golden = file.read()
    missing, known, call = [], set(), ''
    for name in files:
        if name.startswith('--calls='):
            call = name.split('=')[1]
            continue
        with open(name, encoding='utf-8') as file:
            source = file.read()
        for part in calls(source, call) if call else [source]:
            for text in sentences(part):
                line = name.rsplit('/', 1)[-1] + ': ' + text.replace('\n', r'\n')
                if line in listed:
                    known.add(line)
                elif not pattern(text).search(golden):
                    missing.append(line)
    for line in missing:
        print('no golden text: ' + line)
    for line in sorted(listed - known):
        print('listed, but never said: ' + line)
    return 1 if missing or listed != known else 0


if __name__ == '__main__':
    sys.exit(main())
