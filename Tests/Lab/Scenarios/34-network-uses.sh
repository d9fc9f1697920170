# Who uses a network card: addresses, routes of every table, what it is part of and what stands on it, the session that came
# in through it, the namespace that it was given to. Each is shown by list with its evidence, and bind refuses for it.

card=0000:03:00.0
# Behind the PCI bridge, without vectors of its own: switched on and off it leaves no trace in their affinities.
other=0000:08:03.0
peer=$(ls /sys/bus/pci/devices/$other/net)

# The shell would take its own applet, which knows no kinds of links.
ip() { /usr/bin/ip "$@"; }

# used_by TITLE KINDS TEXT…: list has these users of the card, with these words and no others; a dry run is refused for them.
used_by() {
    title=$1 kinds=$2 uses=""
    shift 2
    for text in "$@"; do uses="$uses$text
"; done
    check_json "$title" "${uses%?}" ".devices[] | select(.address == \"$card\").in_use | map(.by + \": \" + .detail) | join(\"\\n\")" \
        vfioctl list --json
    check_refused_by "  bind refuses for it" "$kinds" vfioctl bind $card --dry-run
}

unused() {
    check_json "$1" "" ".devices[] | select(.address == \"$card\").in_use | map(.detail) | join(\" \")" vfioctl list --json
}

modprobe bonding max_bonds=0
modprobe bridge
modprobe 8021q
modprobe macvlan
host_state >before
unused "nobody uses the card"

ip addr add 203.0.113.7/32 dev eth1
used_by "an address of one host alone, while the card is down" address "address: eth1 has 203.0.113.7"
ip addr add 10.0.0.1 peer 10.0.0.2 dev eth1
ip link set eth1 up
used_by "and one of two hosts" address "address: eth1 has 203.0.113.7 and 10.0.0.1 (peer 10.0.0.2)"
ip addr flush dev eth1
unused "what an interface gives itself when it comes up is no use"

ip route add 198.51.100.0/24 dev eth1 table 100
used_by "a route in a table of its own" route "route: the route to 198.51.100.0/24 in table 100 goes through eth1"
ip route add default via 192.0.2.1 dev eth1 onlink
used_by "the default route comes first" route \
    "route: the default route via 192.0.2.1 and the route to 198.51.100.0/24 in table 100 go through eth1"
ip route flush table 100
ip route del default

ip -6 addr add 2001:db8::5/64 dev eth1 nodad
ip -6 route add default via fe80::9 dev eth1
used_by "IPv6 likewise" "address route" "address: eth1 has 2001:db8::5" "route: the default route via fe80::9 goes through eth1"
ip -6 route del default
ip -6 addr del 2001:db8::5/64 dev eth1
ip link set eth1 down
unused "all of it is gone again"

ip link add bond0 type bond mode active-backup
ip link set eth1 master bond0
used_by "a bond" enslaved "enslaved: eth1 is part of the bond bond0"
ip link add link bond0 name bond0.5 type vlan id 5
ip addr add 192.0.2.5/24 dev bond0
ip addr add 172.16.0.9/16 dev bond0.5
ip link set bond0 up
ip route add default via 192.0.2.1 dev bond0
used_by "with what is on it in turn" enslaved \
    "enslaved: eth1 is part of the bond bond0 (192.0.2.5; the default route via 192.0.2.1; under the VLAN bond0.5 (172.16.0.9))"
check_refusal "a person is told the same" 3 "the default route via 192.0.2.1" vfioctl bind eth1 --dry-run
ip link del bond0

ip link add br0 type bridge
ip link set eth1 master br0
ip addr add 192.0.2.5/24 dev br0
used_by "a bridge" enslaved "enslaved: eth1 is part of the bridge br0 (192.0.2.5)"
ip link del br0

ip link add link eth1 name eth1.7 type vlan id 7
ip addr add 192.0.2.5/24 dev eth1.7
used_by "a VLAN" stacked "stacked: the VLAN eth1.7 (192.0.2.5) is stacked on eth1"
ip link add link eth1 name upper type macvlan mode bridge
used_by "and a macvlan" stacked "stacked: the VLAN eth1.7 (192.0.2.5) and the macvlan upper are stacked on eth1"
ip link del upper
ip link del eth1.7
unused "all of it is gone again"

# A session: a server called sshd, whose child asks, and a client on another card in a namespace of its own. All cards of the
# lab are on one hub.
cat >sshd <<'SSHD'
#!/bin/sh
env -i PATH="$PATH" vfioctl list --json >session.json 2>session-errors
mv session.json session
SSHD
chmod +x sshd
ip netns add elsewhere
ip link set "$peer" netns elsewhere
ip -n elsewhere addr add 192.0.2.9/24 dev "$peer"
ip -n elsewhere link set "$peer" up
ip addr add 192.0.2.5/24 dev eth1
ip link set eth1 up
nc -l -p 2222 -e ./sshd >/dev/null 2>&1 &
server=$!
# A pipe that it may write to itself never ends: the client keeps its side of the connection open.
mkfifo hold
/usr/bin/ip netns exec elsewhere sh -c 'until nc -w 2 192.0.2.5 2222 <>hold; do usleep 100000; done' >/dev/null 2>&1 &
client=$!
check "a session came in" wait_until 30 test -e session
check_json "through the card, as the server's socket says" \
    "the ssh session of process $server (sshd) with 192.0.2.9 goes through eth1" \
    ".devices[] | select(.address == \"$card\").in_use[] | select(.by == \"session\").detail" cat session
kill $server $client 2>/dev/null || true
wait $server || true
wait $client || true
ip addr flush dev eth1
ip link set eth1 down

# The other card is still in that namespace.
foreign=".devices[] | select(.address == \"$other\").in_use[]"
check_json "a card that was given to another namespace is in use there" process "$foreign.by" vfioctl list --json
check_json "  which shows, and no more" true "$foreign.detail | contains(\"in another network namespace\")" cat "$last_output"
/usr/bin/ip netns exec elsewhere sleep 100 &
tenant=$!
is_found() { vfioctl list --json | jq -r "$foreign.detail" | grep -F "process $tenant (sleep)" >/dev/null; }
check "a process that lives there is named" wait_until 10 is_found
check_json "  with the interface" "its interface $peer is in the network namespace of process $tenant (sleep)" "$foreign.detail" \
    vfioctl list --json
check_refused_by "  bind refuses for it" process vfioctl bind $other --dry-run
kill $tenant
wait $tenant || true
ip netns del elsewhere
check "the card comes back with the namespace's end" wait_until 10 test -e "/sys/class/net/$peer"
umount /run/netns 2>/dev/null || true

modprobe -r macvlan 8021q bridge bonding
unused "nobody uses the card, as before"
host_state >after
check_same_file "all of it is as it was" before after
