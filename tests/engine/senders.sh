#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# However many programs crash at once, one sender per application is at work; it delivers what comes
# meanwhile, whenever that is, and nothing waits for the next crash.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

config=$scratch/shop.yaml
log=$scratch/upload.log
cat >"$config" <<END
version: 1
engine: { spool: $spool, limits: { reports: 100, free: 1MiB } }
writers: { dump: { plugin: minidump } }
transports: { upload: { plugin: fake, file: $control, log: $log, timeout: 60s } }
pipelines: { default: { writers: [dump], transports: [upload] } }
END

# The numbers of all senders; a step is a child of one.
senders() {
    for pid in $(pgrep -f "^[^ ]*cairn-sender .*$spool"); do
        parent=$(ps -o ppid= -p "$pid") && ! tr '\0' ' ' <"/proc/${parent##* }/cmdline" | grep -q "cairn-sender .*$spool" &&
            echo "$pid"
    done 2>/dev/null
}
no_senders() {
    [ -z "$(senders)" ]
}
one_sender() {
    [ "$(senders | wc -w)" -eq 1 ]
}
end_step() {
    pkill -KILL -P "$(senders)"
}
delivered_all() {
    [ "$(ls "$spool/shop/delivered" | wc -l)" -eq "$1" ]
}
# commit: a report through the engine, which starts a sender.
commit() {
    "$engine" report --folder "$(incoming)" --config "$config" >/dev/null 2>&1
}

# ---- A storm while one is at work.
echo hang >"$control"
commit
ok "a sender is at work" wait_for 10 test -s "$log"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    commit
done
ok "twelve more have come and gone, one is still at work" wait_for 10 one_sender
is "nobody else has tried anything" "$(wc -l <"$log")" 1
is "it was left a mark" "$(ls "$spool/shop/sender.again")" "$spool/shop/sender.again"
# What it hangs in is ended, and it goes on.
echo deliver >"$control"
end_step
ok "it delivers all that came meanwhile" wait_for 20 delivered_all 12
ok "and is gone" wait_for 10 no_senders
ok "with its mark" test ! -e "$spool/shop/sender.again"
is "what hung has its next attempt" "$(ls "$spool/shop/pending" | wc -l)" 1
"$sender" --spool "$spool" --now
ok "which is made" delivered_all 13

# ---- No moment at which a mark is overlooked: a sender stopped at each, and a report that comes then.
stopped() {
    grep -q '^State:.*T' "/proc/$(cat "$1")/status"
}
count=13
for point in sender.saved sender.looked sender.unlocked; do
    at=$scratch/at.$point
    CAIRN_TEST_FAULT=$point:stop:$at commit
    ok "$point: a sender is stopped there" wait_for 10 stopped "$at"
    commit
    ok "$point: another one has come and gone, or did the work" wait_for 10 one_sender
    kill -CONT "$(cat "$at")"
    count=$((count + 2))
    ok "$point: both reports are delivered" wait_for 10 delivered_all $count
    ok "$point: nobody is left" wait_for 10 no_senders
done

# ---- An explicit delivery, which has looked before, is left the same mark.
echo hang >"$control"
: >"$log"
commit
wait_for 10 test -s "$log"
kill -KILL $(senders) # the report waits
wait_for 10 no_senders
: >"$log"
"$sender" --spool "$spool" --now >/dev/null 2>&1 &
wait_for 10 test -s "$log"
commit
ok "the explicit one is at work" wait_for 10 one_sender
echo deliver >"$control"
end_step
count=$((count + 1))
ok "what came meanwhile is delivered" wait_for 20 delivered_all $count
"$sender" --spool "$spool" --now >/dev/null 2>&1
count=$((count + 1))
ok "and so is what hung" delivered_all $count

# ---- Many at once.
for _ in $(seq 24); do
    commit &
    commits="${commits:-} $!"
done
wait $commits
count=$((count + 24))
ok "many at once: all are delivered" wait_for 20 delivered_all $count
ok "... and nobody is left" wait_for 10 no_senders
is "... each was tried once" "$(sort "$log" | uniq -d | wc -l)" 0

done_testing
