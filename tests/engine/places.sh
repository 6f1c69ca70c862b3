#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# engine.limits.engines: however many programs crash at once, no more reports are worked on than
# there are places; who waits is served; a killed engine gives its place back. And of recover there
# is one at a time, which misses nothing.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

log=$scratch/log
hook=$scratch/hook
config=$scratch/crowd.yaml

# configure PLACES: a configuration whose hook, the last thing an engine does, is $hook.
configure() {
    rm -rf "$spool" "$log"
    cat >"$config" <<END
version: 1
application: { name: crowd }
engine: { spool: $spool, limits: { engines: $1 } }
writers: { dump: { plugin: minidump } }
hooks: { stamp: { plugin: exec, command: [$hook], timeout: 10s } }
pipelines: { default: { writers: [dump], hooks: [stamp] } }
END
}

# crowd COUNT: so many programs crash at once, and all hooks have ended.
crowd() {
    for _ in $(seq "$1"); do
        # shellcheck disable=SC2016
        cairn run --config "$config" -- sh -c 'kill -SEGV $$' >/dev/null 2>&1 &
    done
    wait
    wait_for 30 ended "$1"
}

ended() {
    [ "$(grep -c end "$log")" -ge "$1" ]
}

# The most hooks that ran at the same moment.
most() {
    awk '/begin/ { if (++now > most) most = now } /end/ { now-- } END { print most + 0 }' "$log"
}

cat >"$hook" <<END
#!/bin/sh
echo begin >>'$log'
sleep 0.1
echo end >>'$log'
END
chmod +x "$hook"

configure 1
ok "one place, six crashes: all hooks run" crowd 6
is "one place: never more than one report is worked on" "$(most)" 1
ok "one place: all reports are in the spool" delivered 6
is "nothing waits any more" "$(find "$spool/crowd/incoming" -mindepth 1 -type d | wc -l)" 0

# The control: here nobody ends before a second one has begun.
cat >"$hook" <<END
#!/bin/sh
echo begin >>'$log'
for round in \$(seq 100); do
    [ "\$(grep -c begin '$log')" -ge 2 ] && break
    sleep 0.05
done
echo end >>'$log'
END
configure 6
ok "six places: all hooks run" crowd 6
ok "six places: more than one report is worked on" test "$(most)" -ge 2

# The first engine is killed with its place; the hook's parent is the step, the step's the engine.
cat >"$hook" <<END
#!/bin/sh
if mkdir '$scratch/first' 2>/dev/null; then
    echo end >>'$log'
    kill -KILL "\$(awk '/^PPid/ { print \$2 }' "/proc/\$PPID/status")"
fi
echo end >>'$log'
END
configure 1
ok "the place of a killed engine is free again" crowd 2
ok "... and no report is lost" wait_for 10 delivered 2

# ---- A second recovery leaves a mark for the first.
cat >"$config" <<END
version: 1
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
rm -rf "$spool"
incoming >/dev/null
recover() {
    "$engine" recover --application-folder "$spool/shop" --config "$config"
}
recover >/dev/null
incoming >/dev/null
hold "$spool/shop/recover.lock"
is "a second recovery leaves at once" "$(status_of recover)" 0
ok "... a mark" test -e "$spool/shop/recover.again"
ok "... and the work" test "$(find "$spool/shop/incoming" -name capture.dmp | wc -l)" -eq 1
let_go
is "whoever comes next does it" "$(status_of recover)" 0
ok "... all of it" delivered 2
ok "... and takes the mark away" test ! -e "$spool/shop/recover.again"
done_testing
