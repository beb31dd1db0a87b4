#!/usr/bin/env bash
# Make this checkout ready to run: Debian packages, a Docker engine, the virtual environment .venv.
# Does nothing, quickly, where all is there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Tools such as iptables and named-checkzone may be outside an ordinary user's PATH.
export PATH="$PATH:/usr/sbin:/sbin"
environment=tests/environment

if command -v python3 >/dev/null && ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or later is needed, and python3 here is $(python3 -V). Debian 12 and later have it." >&2
    exit 1
fi

# --- Debian packages: each with what shows that it is there -------------------------------------
missing=()
need() { # PACKAGE TEST...
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
need python3 command -v python3
need python3-venv python3 -c 'import ensurepip'
need bind9-dnsutils command -v dig
need bind9-utils command -v named-checkzone
need iptables command -v iptables
need knot-dnsutils command -v kdig
need ldnsutils command -v ldns-compare-zones
need shellcheck command -v shellcheck
docker version >/dev/null 2>&1 || need docker.io command -v dockerd
[ ${#missing[@]} -eq 0 ] || "$environment/install.sh" "${missing[@]}"

"$environment/engine.sh"

# --- The checkout as a collection ----------------------------------------------------------------
mkdir -p .cache/collections/ansible_collections/dnsops
ln -sfn ../../../.. .cache/collections/ansible_collections/dnsops/redundant_dns

# --- The virtual environment ----------------------------------------------------------------------
# The stamp has the checkout's path too: the programs in a virtual environment break when it moves.
stamp=.venv/.made-from
wanted=$(pwd; sha256sum "$environment/requirements.txt")
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing Python packages: $environment/requirements.txt into .venv"
    python3 -m venv --clear .venv
    # --no-compile: of the 30,000 modules that come with ansible, a run imports a few hundred.
    .venv/bin/pip install -qq --disable-pip-version-check --no-compile --requirement "$environment/requirements.txt"
    echo "$wanted" >"$stamp"
fi
