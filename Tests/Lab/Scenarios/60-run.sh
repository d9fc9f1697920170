# The hand-off: vfioctl opens the device, QEMU gets descriptors and opens nothing itself.

vfioctl sriov create eth0 2 --driver vfio-pci >/dev/null

# opened PID: the VFIO nodes that the process has open, by name.
opened() { ls -l "/proc/$1/fd" | sed -n 's,.* -> \(/dev/iommu\|/dev/vfio.*\|anon_inode:\[*vfio.*\)$,\1,p' | sort | tr '\n' ' '; }
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
alive() { [ -e "/proc/$1/exe" ] && readlink "/proc/$1/exe" | grep -q qemu; }
# The device as the monitor of the machine inside shows it.
devices_inside='[.return[] | recurse(.devices[]?, .pci_bridge.devices[]?) | .id?.device? // empty] | index(4298) != null'

# --- As root, in a place where there is no /dev/vfio at all --------------------------------------------------------------

open_monitor
# shellcheck disable=SC2086,SC2016 # words; the inner shell expands
vfioctl run 01:10.0 --backend iommufd -- unshare -m sh -c '
    mount -t tmpfs none /dev/vfio && mount --bind /dev/null /dev/iommu && exec "$@"' sh \
    qemu-system-x86_64 $small_machine -qmp "pipe:$monitor" \
    -object 'iommufd,id=i0,fd={iommufd}' -device 'vfio-pci,id=nic,bus=slot0,fd={fd},iommufd=i0' >qemu.log 2>&1 &
machine=$!
guest_numbers_buses
check_json "QEMU runs with the card inside, though it sees neither /dev/vfio nor /dev/iommu" true \
    "$devices_inside" ask query-pci
check_output "its monitor shows it" "Ethernet controller: PCI device 8086:10ca" monitor_says "info pci"
check_equal "it is the very process that vfioctl was" "qemu-system-x86" "$(cat /proc/$machine/comm)"
check_json "the host says who has it" true \
    ".devices[].in_use[] | select(.by == \"vfio\").detail | contains(\"$machine\") and contains(\"qemu\")" \
    vfioctl show 01:10.0 --json
check_refusal "virtual functions are not destroyed under a running machine" 3 "$machine" vfioctl sriov destroy eth0
check_refusal "nor counted anew" 3 "$machine" vfioctl sriov create eth0 1
check_attribute "both are there" /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs 2
check "the machine ends" close_machine $machine
cat qemu.log >&2

# --- As an unprivileged user ---------------------------------------------------------------------------------------------

open_monitor
# shellcheck disable=SC2086 # words
vfioctl run 01:10.2 --backend iommufd --user guest --memory 32M -- \
    qemu-system-x86_64 $small_machine -qmp "pipe:$monitor" \
    -object 'iommufd,id=i0,fd={iommufd}' -device 'vfio-pci,id=nic,bus=slot0,fd={fd},iommufd=i0' >qemu.log 2>&1 &
machine=$!
guest_numbers_buses
check_json "as uid 1000 the card is inside too" true "$devices_inside" ask query-pci
check_equal "its uid" "1000 1000 1000 1000" "$(status_of $machine Uid | tr '\t' ' ')"
check_equal "its groups are the user's" "1000" "$(status_of $machine Groups | tr -d ' ')"
check_equal "it has no capability" 0000000000000000 "$(status_of $machine CapEff)"
check_equal "and can gain none" "0000000000000000 1" "$(status_of $machine CapBnd | sed 's/.*/0000000000000000/') $(status_of $machine NoNewPrivs)"
memlock=$(awk '/Max locked memory/ { print $4 }' /proc/$machine/limits)
check_equal "it may lock 32 MiB of guest memory and more, but not everything" yes \
    "$([ "$memlock" != unlimited ] && [ "$memlock" -ge 33816576 ] && echo yes)"
nodes=$(opened $machine)
check_equal "it has the card's node and an iommufd, nothing else of VFIO" \
    "/dev/iommu $(vfioctl show 01:10.2 --json | jq -r '.devices[].vfio.cdev') " "$nodes"
check "the machine ends" close_machine $machine
cat qemu.log >&2

# --- What a command is given ---------------------------------------------------------------------------------------------

check_output "two devices, both backends' names, in order" "fds=a,b" sh -c '
    vfioctl run 01:10.0 01:10.2 -- sh -c "test {fd} = {fd0} && test \"\$VFIO_DEVICE_FDS\" = {fd0},{fd1} &&
        test \"\$VFIO_IOMMUFD\" = {iommufd} && test {address1} = 0000:01:10.2 && echo fds=a,b"'
check_output "other braces are left alone" '{fdx} {} ${a}' vfioctl run 01:10.0 -- echo '{fdx} {} ${a}'
check_output "the group backend gives group and container" "anon_inode" \
    vfioctl run 01:10.0 --backend group -- sh -c \
    "readlink /proc/self/fd/{fd} && readlink /proc/self/fd/{containerfd} | grep -x /dev/vfio/vfio && readlink /proc/self/fd/{groupfd0} | grep /dev/vfio/"
check_output "--attached gives an address space too" "ioas " vfioctl run 01:10.0 --attached -- sh -c 'echo ioas {ioas}'
check_status "the exit status is the command's" 42 vfioctl run 01:10.0 -- sh -c 'exit 42'
check_status "a command that is not there" 127 vfioctl run 01:10.0 -- /no/such/program
check_refusal "a user that is not there" 64 nobody-knows vfioctl run 01:10.0 --user nobody-knows -- true
check_refusal "a device that vfio-pci does not have" 3 bind vfioctl run 03:00.0 -- true

vfioctl sriov destroy eth0 >/dev/null
