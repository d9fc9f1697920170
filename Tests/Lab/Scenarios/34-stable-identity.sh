# Stable identities: every device has one, every command takes it as DEVICE, and a wrong one is told from a right one.

vfioctl list --stable --json >list.json
check_json "every device has an identity" 0 '[.devices[] | select(.stable == null)] | length' cat list.json
check_json "and no two the same" true '(.devices | length) == ([.devices[].stable] | unique | length)' cat list.json
identity_of() { jq -r --arg address "$1" '.devices[] | select(.address == $address).stable' list.json; }
igb=$(identity_of 0000:01:00.0) e1000e=$(identity_of 0000:03:00.0) edu=$(identity_of 0000:00:03.0)
check_equal "igb's says where it is and what it is" 0000:00/02.0/00.0-8086:10c9-1af4:1100 "$igb"
check_equal "e1000e's has its serial number as well, which is made of its MAC" "0000:00/02.2/00.0-8086:10d3 sn525400ffff000002" \
    "$(echo "$e1000e" | sed 's/-[0-9a-f]*:[0-9a-f]*-sn/ sn/')"
check_equal "behind two bridges, both are in it" 0000:00/02.6/00.0/03.0-8086:100e-1af4:1100 "$(identity_of 0000:08:03.0)"
check_equal "behind another root complex, that one's bus is" 0000:80/00.0/00.0-8086:10d3 \
    "$(identity_of 0000:81:00.0 | cut -d - -f 1-2)"
check_json "without --stable nothing is read for it" null '[.devices[].stable] | unique[]' vfioctl list --json
check_output "the table has them" "$igb" vfioctl list --stable
check_output "and so does show" "$igb" vfioctl show 01:00.0

# --- every command takes it ----------------------------------------------------------------------------------------------

check_json "show" 0000:01:00.0 '.devices[].address' vfioctl show "$igb" --json
check_json "check" 0000:00:03.0 '[.findings[].device | select(. != null)] | unique[]' vfioctl check "$edu" --json
check_json "irq list" true '.interrupts | length > 0' vfioctl irq list "$igb" --json
ip link set eth0 up
check_outcome "irq set" planned vfioctl irq set "$igb" --cpus 1 --dry-run
ip link set eth0 down
check_outcome "sriov create" done vfioctl sriov create "$igb" 2 --driver vfio-pci
check_json "sriov list" 0000:01:10.2 '.vfs[1].address' vfioctl sriov list "$igb" --json
check_json "a virtual function by the identity of its card" 0000:01:10.2 '.devices[].address' vfioctl show "$igb:vf1" --json
check_json "which is its own" "$igb:vf1" '.devices[].stable' cat "$last_output"
check_refusal "one that is not there is said" 66 "0000:01:00.0 has 2 virtual functions" vfioctl show "$igb:vf2"
vfioctl watch "$edu" --verbose >events 2>messages &
watcher=$!
wait_until 20 grep watching messages >/dev/null
check_outcome "bind" done vfioctl bind "$edu"
check "watch, which tells it" wait_until 20 grep 0000:00:03.0 events
kill -INT $watcher
wait $watcher
check_driver "the device that was meant" 0000:00:03.0 vfio-pci
check "inspect" vfioctl inspect "$edu"
check_output "read" 0x010000ed vfioctl read "$edu" bar0 0
check "write" vfioctl write "$edu" bar0 0x4 1
check_output "regs" 0x010000ed vfioctl regs "$edu" read:bar0:0
check_output "run" "0000:00:03.0 0000:01:10.2" vfioctl run "$edu" "$igb:vf1" -- echo '{address0}' '{address1}'
check_refusal "attach (there is no guest)" 66 no-such-socket vfioctl attach "$edu" --qmp "$SCENARIO_DIR/no-such-socket"
check_refusal "detach" 66 no-such-socket vfioctl detach "$edu" --qmp "$SCENARIO_DIR/no-such-socket"
check_outcome "bind --force names it as well" planned vfioctl bind "$(identity_of 0000:06:00.0)" --dry-run \
    --force "$(identity_of 0000:06:00.0):mount"
check_outcome "restore" done vfioctl restore "$edu" "$igb:vf0" "$igb:vf1"
check_outcome "sriov destroy" done vfioctl sriov destroy "$igb"
check_driver "edu has no driver, as before" 0000:00:03.0 none

# --- who is asking, and what it is not -----------------------------------------------------------------------------------

su guest -c "vfioctl list --stable --json" >guest.json
check_json "an unprivileged user sees the same, less the serial numbers" true \
    '[.devices[].stable] == (input | [.devices[].stable | sub("-sn[0-9a-f]*"; "")])' cat guest.json list.json
check_json "and may use what root wrote down" 0000:03:00.0 '.devices[].address' \
    su guest -c "vfioctl show '$e1000e' --json"
check_json "as root may what the user did" 0000:03:00.0 '.devices[].address' vfioctl show "${e1000e%-sn*}" --json
check_refusal "another serial number is another card, and it is said which is there" 66 "0000:03:00.0, $e1000e" \
    vfioctl show "${e1000e%-sn*}-sn525400ffff000005"
check_refusal "so are other ids" 66 "another device is where" \
    vfioctl bind 0000:00/02.0/00.0-8086:10d3-8086:0000
check_refusal "an empty place is said, and where such a device is" 66 "0000:01:00.0" \
    vfioctl show "0000:00/02.7/00.0-${igb#*-}"
check_refusal "what is spelt wrong is wrong on any host" 64 "is no device" vfioctl bind 0000:00/02.0

jq -r '.devices[] | "\(.stable) \(.address)"' list.json >identities
hand_over identities identities
