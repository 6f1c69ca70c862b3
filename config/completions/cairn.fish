# SPDX-License-Identifier: Apache-2.0
# fish completion for cairn(1). What there is, cairn --help says itself.

function __cairn_words
    count (commandline -opc)
end

function __cairn_commands
    cairn --help 2>/dev/null | sed -nE 's/^  ([a-z]+)  +(.*)/\1\t\2/p'
end

function __cairn_options
    cairn (commandline -opc)[2] --help 2>/dev/null |
        sed -nE 's/^ +(-[a-z], )?(--[a-z-]+)( [A-Z]+)?( +([^ ].*))?$/\2\t\5/p'
end

function __cairn_reports
    echo latest
    cairn list 2>/dev/null | sed -nE '2,$s/^([0-9a-f-]{36})  (.{19}) .*  ([^ ]+)$/\1\t\2 \3/p'
end

function __cairn_is
    contains -- (commandline -opc)[2] $argv
end

complete -c cairn -n 'test (__cairn_words) -eq 1' -f -a '(__cairn_commands)'
complete -c cairn -n 'test (__cairn_words) -gt 1; and not __cairn_is run; and string match -q -- "-*" (commandline -ct)' -f -a '(__cairn_options)'
complete -c cairn -n 'test (__cairn_words) -eq 2; and __cairn_is run; and string match -q -- "-*" (commandline -ct)' -f -a '(__cairn_options)'
complete -c cairn -n '__cairn_is run doctor; and not string match -q -- "-*" (commandline -ct)' -a '(__fish_complete_subcommand --fcs-skip=2)'
complete -c cairn -n '__cairn_is show send' -f -a '(__cairn_reports)'
complete -c cairn -n '__cairn_is dump' -f -a '(__fish_complete_pids)'
complete -c cairn -n '__cairn_is plugin; and test (__cairn_words) -eq 2' -f -a 'list doc new lint run'
complete -c cairn -n '__cairn_is consent; and test (__cairn_words) -eq 2' -f -a 'give refuse forget'
complete -c cairn -n '__cairn_is consent; and test (__cairn_words) -gt 2' -f -a 'disk network'
complete -c cairn -n '__cairn_is list' -f
