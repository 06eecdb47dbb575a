#!/usr/bin/env bash
# Runs one command inside a desktop of its own and ends everything with it:
#   tests/desktop/session.sh COMMAND [ARGUMENT...]
# The desktop: Xvfb on a free display, a session bus, an unlocked keyring in a throw-away home, openbox, and the
# tray host trayer. SESSION_TRAY=no leaves trayer out, SESSION_KEYRING=no the keyring. SESSION_SIZE sets the screen.
set -euo pipefail

if [[ "${SESSION_INSIDE:-}" != yes ]]; then
    [[ $# -gt 0 ]] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
    home=$(mktemp -d "${TMPDIR:-/tmp}/desktop-session.XXXXXX")
    trap 'kill "${xvfb:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$home"' EXIT
    mkdir -m 700 "$home/run"
    exec {ready}<> <(:)
    Xvfb -displayfd "$ready" -screen 0 "${SESSION_SIZE:-1280x800}x24" -nolisten tcp -noreset >"$home/xvfb.log" 2>&1 &
    xvfb=$!
    read -r -t 20 number <&"$ready" || { cat "$home/xvfb.log" >&2; exit 1; }
    exec {ready}>&-
    # A desktop's own variables would lead the keyring and Qt to the wrong session.
    env -u DBUS_SESSION_BUS_ADDRESS -u WAYLAND_DISPLAY -u QT_QPA_PLATFORM -u GNOME_KEYRING_CONTROL \
        HOME="$home" XDG_RUNTIME_DIR="$home/run" XDG_CONFIG_HOME="$home/config" XDG_DATA_HOME="$home/data" \
        XDG_CACHE_HOME="$home/cache" DISPLAY=":$number" SESSION_INSIDE=yes \
        dbus-run-session -- "$0" "$@"
    exit
fi

children=()
trap 'kill "${children[@]}" 2>/dev/null || true; wait 2>/dev/null || true' EXIT
if [[ "${SESSION_KEYRING:-yes}" == yes ]]; then
    # --unlock reads the password from standard input, and makes the login keyring with it where there is none.
    printf 'throw-away' | gnome-keyring-daemon --unlock --foreground --components=secrets >"$HOME/keyring.log" 2>&1 &
    children+=($!)
fi
openbox >"$HOME/openbox.log" 2>&1 &
children+=($!)
if [[ "${SESSION_TRAY:-yes}" == yes ]]; then
    trayer --edge top --align right --widthtype request --height 28 --SetDockType true --SetPartialStrut true \
        --transparent true --alpha 0 --tint 0xf2f3f5 >"$HOME/trayer.log" 2>&1 &
    children+=($!)
fi
"$@"
