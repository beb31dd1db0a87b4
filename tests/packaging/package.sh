#!/usr/bin/env bash
# Build the collection and look at it as Galaxy, the documentation site and ansible-builder do; a warning is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
place=$PWD/.cache/package
rm -rf "$place"
mkdir -p "$place"

echo "--- Build"
ansible-galaxy collection build --output-path "$place"
tarball=$(echo "$place"/*.tar.gz)
# --force: ansible.cfg shows it the checkout, which is the same version.
ansible-galaxy collection install --offline --force "$tarball" -p "$place/collections" >/dev/null
collection=$place/collections/ansible_collections/dnsops/redundant_dns

echo "--- galaxy-importer"
(cd "$place" && GALAXY_IMPORTER_CHECK_REQUIRED_TAGS=true GALAXY_IMPORTER_CHECK_CHANGELOG=true \
    python -m galaxy_importer.main "$tarball") | tee "$place/importer.log"
# It succeeds with warnings too.
if ! grep -Fqx 'Importer processing completed successfully' "$place/importer.log" ||
    grep -Eq '^(WARNING|ERROR)' "$place/importer.log"; then
    echo "galaxy-importer has found something, see above." >&2
    exit 1
fi

echo "--- antsibull-docs, antsibull-changelog"
ANSIBLE_COLLECTIONS_PATH=$place/collections antsibull-docs lint-collection-docs \
    --plugin-docs --validate-collection-refs all --disallow-unknown-collection-refs "$collection"
antsibull-changelog lint
fragments=$(find changelogs/fragments -type f ! -name '*.yml')
if [ -n "$fragments" ]; then
    echo "antsibull-changelog overlooks what is not *.yml: $fragments" >&2
    exit 1
fi

echo "--- ansible-builder"
ansible-builder introspect --write-pip "$place/pip.txt" "$place/collections" >/dev/null
sed -n 's/^\([a-z][a-z0-9_-]*\).*/\1/p' requirements.txt | while read -r package; do
    if ! grep -q "^$package.*from collection dnsops.redundant_dns" "$place/pip.txt"; then
        echo "ansible-builder does not find $package in meta/execution-environment.yml:" >&2
        cat "$place/pip.txt" >&2
        exit 1
    fi
done
