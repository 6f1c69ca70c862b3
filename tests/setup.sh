# SPDX-License-Identifier: Apache-2.0
# What ./demo and ./check share: say what is going on, install what is missing, build. Sourced from
# the top of the source tree.

set -eu
top=$(pwd)
build=$top/build
jobs=$(nproc 2>/dev/null || echo 2)

step() {
    printf '\n==> %s\n' "$*"
}

# A command in the background of a script ignores Ctrl-C: it has to be told.
running=
interrupted() {
    [ -z "$running" ] || kill "$running" 2>/dev/null || true
    exit 130
}
trap interrupted INT TERM HUP

# quietly LOG COMMAND...: the output goes to a file; while it takes long, a dot every two seconds; on
# failure the end of the file is shown.
quietly() {
    log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 </dev/null &
    running=$!
    looks=0
    while kill -0 "$running" 2>/dev/null; do
        sleep 0.2 &
        wait $! || true
        looks=$((looks + 1))
        [ $((looks % 10)) -ne 0 ] || printf '.'
    done
    [ "$looks" -lt 10 ] || printf '\n'
    result=0
    wait "$running" || result=$?
    running=
    if [ "$result" -ne 0 ]; then
        tail -n 40 "$log"
        echo "This failed: $*"
        echo "The whole output is in $log"
        return 1
    fi
}

# as_root COMMAND...
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "Packages must be installed; run this as root or install sudo." >&2
        return 1
    fi
}

install_packages() {
    as_root apt-get update -q || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# need PACKAGE...: installs those Debian packages that are missing.
need() {
    missing=
    for package in "$@"; do
        if ! dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed'; then
            missing="$missing $package"
        fi
    done
    if [ -z "$missing" ]; then
        return 0
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "This is no Debian: there is no apt-get. README.md says what has to be there to build by hand." >&2
        return 1
    fi
    step "Installing Debian packages:$missing"
    quietly "$build/log/apt.log" install_packages $missing || {
        echo "These packages are needed and could not be installed:$missing" >&2
        return 1
    }
}

BUILD_PACKAGES="gcc g++ make libc6-dev autoconf automake libtool pkg-config libcurl4-openssl-dev libcjson-dev
    libyaml-dev libdw-dev libelf-dev libmd-dev libssl-dev libzstd-dev zlib1g-dev"

# configure_in FOLDER CONFIGURE-ARGUMENT...
configure_in() {
    folder=$1
    shift
    if [ ! -f Makefile.in ] || [ configure.ac -nt configure ]; then
        step "Making configure"
        quietly "$build/log/autogen.log" ./autogen.sh
    fi
    mkdir -p "$folder"
    if [ ! -f "$folder/config.status" ] || [ configure -nt "$folder/config.status" ]; then
        step "Configuring in ${folder#"$top"/}"
        # No subshell around quietly: it would not see Ctrl-C.
        quietly "$build/log/configure-$(basename "$folder").log" \
            sh -c 'cd "$1" && shift && exec "$@"' sh "$folder" "$top/configure" "$@"
    fi
}

# build_in FOLDER CONFIGURE-ARGUMENT...
build_in() {
    configure_in "$@"
    step "Building in ${folder#"$top"/}"
    quietly "$build/log/make-$(basename "$folder").log" make -C "$folder" -j"$jobs"
}
