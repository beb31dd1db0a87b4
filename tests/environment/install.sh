#!/usr/bin/env bash
# install.sh PACKAGE... - install Debian packages, saying so first; where that can't be done, say what to do.
set -euo pipefail

if ! command -v apt-get >/dev/null; then
    echo "This is not Debian or Ubuntu: please install what these Debian packages hold, then run again: $*" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "Not root: please run 'apt-get install $*' as root, then run again." >&2
    exit 1
fi

echo "Installing Debian packages: apt-get update && apt-get install $*"
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
apt-get update -qq
# Recommended packages too: in Debian 13 they bring the docker command to docker.io.
apt-get install -qq --yes --install-recommends "$@" </dev/null >/dev/null
