#!/usr/bin/env bash
# dns_guard.sh add|remove NETWORK IPV4_SUBNET IPV6_SUBNET
# Drop and count DNS queries that leave a container network, so that a test can prove that none does:
#   iptables  -w -t raw -L NETWORK -nvx        (the counter of the DROP rule; ip6tables likewise)
# The resolvers of this machine stay within reach: Docker's own resolver asks them in the containers' name.
# The table raw, because there every packet is seen, also one that this machine would not forward.
# Prints 'changed' where it changed something.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"
action=$1 chain=$2
declare -A subnet=([iptables]=$3 [ip6tables]=$4)
resolvers=$(cat /etc/resolv.conf /run/systemd/resolve/resolv.conf 2>/dev/null |
    sed -n 's/^nameserver[[:space:]]*\([^%[:space:]]*\).*/\1/p' | sort -u || true)

if ! { iptables -w -t raw -S && ip6tables -w -t raw -S; } >/dev/null 2>&1; then
    echo "No guard: DNS queries that leave the network are neither dropped nor counted (needs root and iptables here)."
    exit 0
fi

changed=""
for tables in iptables ip6tables; do
    raw() { "$tables" -w -t raw "$@"; }
    leaving=(-s "${subnet[$tables]}" ! -d "${subnet[$tables]}" --dport 53 -j "$chain")
    if [ "$action" = add ] && ! raw -S "$chain" >/dev/null 2>&1; then
        raw -N "$chain"
        for resolver in $resolvers; do
            case $tables-$resolver in
                ip6tables-*:* | iptables-*.*) raw -A "$chain" -d "$resolver" -j RETURN ;;
            esac
        done
        raw -A "$chain" -m comment --comment "dnsops:$chain" -j DROP
        for protocol in udp tcp; do raw -A PREROUTING -p "$protocol" "${leaving[@]}"; done
        changed=yes
    elif [ "$action" = remove ] && raw -S "$chain" >/dev/null 2>&1; then
        for protocol in udp tcp; do raw -D PREROUTING -p "$protocol" "${leaving[@]}"; done
        raw -F "$chain"
        raw -X "$chain"
        changed=yes
    fi
done
[ -z "$changed" ] || echo changed
