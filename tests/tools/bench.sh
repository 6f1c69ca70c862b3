#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The benchmark's verdicts, without a benchmark: what is missed by more than the noise fails it, and nothing else.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/verdicts.py" <<'END'
import copy, sys
bench, folder = sys.argv[1:]
sys.path.insert(0, bench)
import run, table

def target(quotients, binding=True):
    return table.Target("what", "figure", "allowed", quotients, binding).verdict()

print(target([0.9, 1.0, 1.0, 1.3]))
print(target([0.9, 1.0, 1.1, 1.3]))
print(target([1.0, 1.1, 1.1, 1.3]))
print(target([1.0, 1.1, 1.1, 1.3], False))
print(target([]))

times = {"none": {"gone": 300}, "limit": {"dump": 1000, "gone": 900, "limit-released": 700},
         "cairn": {"dump": 2000, "gone": 1500, "commit": 12000}}
good = {
    "machine": "none", "failures": [], "zstd": [], "plugins": {0: [12000], 8: [18000], 16: [24000]},
    "crashes": [(run.Case(label, 5, threads=count), {name: [value] * 5 for name, value in times.items()})
                for label, count in (("1 thread", 1), ("10 threads", 10))],
    "storm": {"whole": 200, "seconds": 1.0, "processes": 400, "mib": 30},
    "idle": {"start": [1900], "start-no-wait": [400], "annotation": [80], "breadcrumb": [120], "program": [120],
             "monitor": [350], "text": [65000]},
}

def status(results):
    run.measure = lambda options, scratch: results
    sys.argv[1:] = ["--programs", ".", "--stage", ".", "--library", ".", "--output", folder]
    return run.main()

slow, noisy, lost = (copy.deepcopy(good) for _ in range(3))
slow["crashes"][0][1]["cairn"] = [dict(times["cairn"], dump=3000)] * 5
noisy["crashes"][0][1]["cairn"] = [dict(times["cairn"], dump=value) for value in (2000, 2400, 2600, 2700, 4000)]
lost["storm"]["whole"] = 199
for results in good, slow, noisy, lost:
    print("exit status", status(results))
END
python3 -B "$scratch/verdicts.py" "$CAIRN_SRCDIR/bench" "$scratch/results" >"$scratch/out" 2>"$scratch/err"
is "it runs" "$(cat "$scratch/err")" ""
is "verdicts" "$(sed -n 1,5p "$scratch/out" | tr '\n' ,)" "ok,within noise,MISSED,over,not measured,"
is "the table has the targets beside the figures" \
    "$(grep -cE '^dump complete, 1 thread +2\.00 \(2\.00-2\.00\) ms +2\.0 x limit \+ 0\.5 ms +0\.80 .* ok$' "$scratch/out")" 2
is "a miss beyond the noise, or a lost report, fails it; an absolute figure does not" \
    "$(sed -n 's/^exit status //p' "$scratch/out" | tr '\n' ' ')" "0 1 0 1 "
has "the text is kept" "$(cat "$scratch/results/bench.txt")" '^target +figure +allowed '
has "so are the values" "$(field "$scratch/results/bench.json" crashes.0.rounds.cairn)" '"dump": 2000'
has "the plot has a curve of each subject" "$(cat "$scratch/results/bench.gnuplot")" "using 1:2 .* title 'limit', .* title 'cairn'"
if command -v gnuplot >/dev/null; then
    has "... and is drawn" "$(cat "$scratch/results/bench.svg")" '<svg'
fi

done_testing
