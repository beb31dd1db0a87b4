#!/usr/bin/env bash
# Make sure that a Docker engine answers; start the one of this machine where none does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
log=.cache/dockerd.log

answers() { docker version >/dev/null 2>&1; }

answers && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "No Docker engine answers to this user: please start one, or join the group docker, then run again." >&2
    exit 1
fi

if [ -d /run/systemd/system ]; then
    echo "Starting the Docker engine: systemctl start docker"
    systemctl start docker
else
    echo "Starting the Docker engine: dockerd (log: $log)"
    mkdir -p .cache
    setsid nohup dockerd >"$log" 2>&1 </dev/null &
fi

deadline=$((SECONDS + 60))
until answers; do
    if [ "$SECONDS" -ge "$deadline" ]; then
        echo "The Docker engine did not answer within 60 s." >&2
        tail -n 20 "$log" >&2 || true
        exit 1
    fi
    sleep 0.2
done
