#!/usr/bin/env bash
# image.sh RELEASE|tools|providers - make sure that the container image dnsops-test:debianRELEASE, dnsops-test:tools, or
# dnsops-test:providers, is there.
# Built once; built anew when its recipe changes. The last two are put upon dnsops-test:debian13.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
environment=tests/environment
log=.cache/image.log

case ${1:?usage: image.sh RELEASE, tools or providers, as in: image.sh 13} in
    12) codename=bookworm ;;
    13) codename=trixie ;;
    tools | providers) codename="" ;;
    *)
        echo "image.sh: no recipe for $1" >&2
        exit 1
        ;;
esac
if [ -n "$codename" ]; then
    image=dnsops-test:debian$1 dockerfile=$environment/Dockerfile base=debian:$1
else
    image=dnsops-test:$1 dockerfile=$environment/$1.Dockerfile base=dnsops-test:debian13
fi
label=dnsops.redundant_dns.recipe
recipe=$({
    cat "$environment/image.sh" "$dockerfile"
    [ -n "$codename" ] || docker image inspect --format '{{.Id}}' "$base"
} | sha256sum | cut -d ' ' -f 1)

made_from=$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$image" 2>/dev/null || true)
[ "$made_from" != "$recipe" ] || exit 0

mkdir -p .cache
echo "Building the container image $image (log: $log)"
trap 'echo "Building the image failed:" >&2; tail -n 20 "$log" >&2' ERR

if [ -n "$codename" ] && ! timeout 300 docker pull --quiet "$base" >"$log" 2>&1; then
    echo "No container registry answers: making Debian $1 with mmdebstrap"
    command -v mmdebstrap >/dev/null || "$environment/install.sh" mmdebstrap debian-archive-keyring
    base=$image-base
    mmdebstrap --quiet --variant=minbase "$codename" - http://deb.debian.org/debian 2>>"$log" |
        docker import --change "LABEL $label=$recipe" - "$base" >>"$log" 2>&1
fi
docker build --force-rm --tag "$image" --build-arg "BASE=$base" --label "$label=$recipe" - <"$dockerfile" >>"$log" 2>&1
# What an earlier recipe made.
docker image prune --force --filter "label=$label" >>"$log"
