#!/usr/bin/env bash
# Run `ansible-test sanity`, with all its tests and no exceptions, on a copy of this checkout: with the oldest and the
# newest of the versions of ansible-core below that the Python interpreters of this machine can run. Tests that need a
# Python version of a target run with each version that is there; ansible-test says which it skips.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
place=$PWD/.cache/sanity
pythons=$place/pythons

# A version that is supported, and the versions of Python that can run it.
cores=(
    "2.18.19 3.11 3.12 3.13"
    "2.19.14 3.11 3.12 3.13"
    "2.20.10 3.12 3.13 3.14"
    "2.21.5 3.12 3.13 3.14"
)

if compgen -G 'tests/sanity/ignore*' >/dev/null; then
    echo "There are no exceptions here: mend what ansible-test finds, and remove tests/sanity/ignore*." >&2
    exit 1
fi

# --- The interpreters: those in PATH and those of pyenv, with the names that ansible-test looks for -----------------
rm -rf "$pythons"
mkdir -p "$pythons"
for version in 3.8 3.9 3.10 3.11 3.12 3.13 3.14; do
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
        # Not the one of a virtual environment, nor pyenv's shim: the one behind it.
        if python=$("$candidate" -c 'import ensurepip, sys; print(sys._base_executable)' 2>/dev/null); then
            ln -sfn "$python" "$pythons/python$version"
            break
        fi
    done
done
echo "Python interpreters: $(find "$pythons" -type l -printf '%f\n' | sort -V | xargs)"

runnable=()
for core in "${cores[@]}"; do
    read -r version candidates <<<"$core"
    for python in $candidates; do
        if [ -e "$pythons/python$python" ]; then
            runnable+=("$version $python")
            continue 2
        fi
    done
    echo "ansible-core $version cannot run here: it needs one of Python $candidates."
done
[ ${#runnable[@]} -gt 0 ] || exit 1
chosen=("${runnable[0]}")
[ ${#runnable[@]} -eq 1 ] || chosen+=("${runnable[-1]}")

# --- The copy: what git tracks or would, where ansible-test wants a collection ----------------------------------------
collection=$place/ansible_collections/dnsops/redundant_dns
rm -rf "$collection"
mkdir -p "$collection"
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do
        if [ -e "$file" ]; then printf '%s\0' "$file"; fi
    done | tar --create --null --files-from - | tar --extract --directory "$collection"
# A repository of its own: ansible-test would ask the one around it, which ignores .cache, and find nothing to test.
git init --quiet "$collection"

# --- ansible-core, and the virtual environments that ansible-test makes for its tests --------------------------------
stand_ins=()
trap 'rm -f "${stand_ins[@]}"' EXIT

make_ready() { # VERSION PYTHON
    local environment=$place/ansible-core-$1 log=$place/ansible-core-$1.log bootstrap
    local stamp=$environment/.made-from wanted
    wanted=$(echo "$environment" "$2"; readlink "$pythons"/*)
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    echo "Making ansible-core $1 on Python $2 ready (log: $log)"
    "$pythons/python$2" -m venv --clear "$environment"
    "$environment/bin/pip" install -qq --disable-pip-version-check "ansible-core==$1"
    until (cd "$collection" && PATH=$pythons:$PATH "$environment/bin/ansible-test" sanity --prime-venvs) >"$log" 2>&1; do
        # It wants to download a script that installs pip. Where it can't, pip comes from Python itself.
        bootstrap=$(sed -n 's/^The bootstrap script can be manually downloaded and saved to: //p' "$log")
        if [ -z "$bootstrap" ] || [ -e "$bootstrap" ]; then
            tail -n 20 "$log" >&2
            return 1
        fi
        printf 'import ensurepip\n\nensurepip.bootstrap()\n' >"$bootstrap"
        stand_ins+=("$bootstrap")
    done
    echo "$wanted" >"$stamp"
}

status=0
exclude=()
for core in "${chosen[@]}"; do
    read -r version python <<<"$core"
    make_ready "$version" "$python"
    echo "--- ansible-core $version on Python $python ${exclude[*]}"
    (cd "$collection" && PATH=$pythons:$PATH \
        "$place/ansible-core-$version/bin/ansible-test" sanity --local "${exclude[@]}") 2>&1 |
        tee "$place/last.log" || status=1
    # It is content when it finds nothing to test, too.
    grep -Fq 'Running sanity test "validate-modules"' "$place/last.log" || status=1
    # pylint needs most of its time for the tests, which nobody installs: once is enough for those.
    exclude=(--exclude tests/)
done
exit "$status"
