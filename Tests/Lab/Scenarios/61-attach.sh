# A device given to a QEMU that is already running, and taken back.

vfioctl sriov create eth0 1 --driver vfio-pci >/dev/null
devices_inside='[.return[] | recurse(.devices[]?, .pci_bridge.devices[]?) | .id?.device? // empty] | index(4298) != null'

open_monitor
# shellcheck disable=SC2086 # words
qemu-system-x86_64 $small_machine -qmp "pipe:$monitor" -qmp "unix:$qmp,server=on,wait=off" >qemu.log 2>&1 &
machine=$!
guest_numbers_buses
check_json "QEMU runs, without the card" false "$devices_inside" ask query-pci

check_outcome "the card is given to it" done vfioctl attach 01:10.0 --qmp "$qmp"
check_json "query-pci shows it" true "$devices_inside" ask query-pci
check_json "the host says who has it" true ".devices[].in_use[] | select(.by == \"vfio\").detail | contains(\"$machine\")" \
    vfioctl show 01:10.0 --json
check_outcome "given again, it is so already" unchanged vfioctl attach 01:10.0 --qmp "$qmp"

check_outcome "a slot that the guest never switched on gives it back at once" done \
    vfioctl detach 01:10.0 --qmp "$qmp"
check_json "query-pci shows it no more" false "$devices_inside" ask query-pci
released() { [ "$(vfioctl show 01:10.0 --json | jq '.devices[].in_use | length')" = 0 ]; }
check "the host has it" wait_until 5 released

# --- A guest that uses it ------------------------------------------------------------------------------------------------

check "the card is given to it again" vfioctl attach 01:10.0 --qmp "$qmp"
guest_sets_slot "$slot_in_use"
uptime_now
started=$now
check_refusal "a guest that never answers: after the time limit the request stays pending" 5 "3 s" \
    vfioctl detach 01:10.0 --qmp "$qmp" --timeout 3
uptime_now
waited=$((now - started))
check_equal "after three seconds, not more" yes "$([ $waited -ge 300 ] && [ $waited -le 1000 ] && echo yes)"
check_json "the card is still inside" true "$devices_inside" ask query-pci

vfioctl detach 01:10.0 --qmp "$qmp" --timeout 30 >detached 2>&1 &
detaching=$!
waits() { [ -e /proc/$detaching/exe ] && grep -q . "/proc/$detaching/comm"; }
check "asked again, it waits" waits
guest_sets_slot "$slot_off"
status=0
wait $detaching || status=$?
check_equal "until the guest lets go" "0" "$status"
cat detached >&2
check_json "query-pci shows it no more" false "$devices_inside" ask query-pci
check "the host has it" wait_until 5 released

# --- Nonsense ------------------------------------------------------------------------------------------------------------

check_outcome "taken back again, it is so already" unchanged vfioctl detach 01:10.0 --qmp "$qmp"
check_refusal "a socket that is not there" 66 no-socket vfioctl attach 01:10.0 --qmp "$SCENARIO_DIR/no-socket"
check_refusal "a device that vfio-pci does not have" 3 bind vfioctl attach 03:00.0 --qmp "$qmp"
check "the machine ends" close_machine $machine
cat qemu.log >&2
check_refusal "nobody listens there any more" 66 "$qmp" vfioctl attach 01:10.0 --qmp "$qmp"

vfioctl sriov destroy eth0 >/dev/null
