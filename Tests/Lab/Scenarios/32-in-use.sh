# What is in use is not taken, and who uses it is said.

nic=/sys/bus/pci/devices/0000:03:00.0

# The lab's own tools are on this disk: only dry runs, which are refused alike.
check_refusal "a disk that is mounted" 3 /opt/tools vfioctl bind 06:00.0 --dry-run
check_refused_by "as a program reads it" mount vfioctl bind /dev/vda --dry-run
check_json "with the evidence" true '.refusals[0].detail | contains("vda")' cat "$last_output"
check_refused_by "another kind of force does not help" mount vfioctl bind 06:00.0 --dry-run --force 06:00.0:route

mkswap /dev/nvme0n1 >/dev/null
swapon /dev/nvme0n1
check_refused_by "a disk with swap on it" swap vfioctl bind 02:00.0
swapoff /dev/nvme0n1
check "without the swap nothing stands in the way" vfioctl bind 02:00.0 --dry-run

ip addr add 192.0.2.1/24 dev eth1
ip link set eth1 up
ip route add 198.51.100.0/24 via 192.0.2.254 dev eth1
check_refusal "an interface with an address" 3 192.0.2.1 vfioctl bind eth1
check_refused_by "and a route" "address route" vfioctl bind 03:00.0
check_json "each with the interface in its detail" true '[.refusals[].detail | contains("eth1")] | all' \
    cat "$last_output"
check_json "list says the same" "address route" '[.devices[].in_use[].by] | unique | join(" ")' vfioctl show eth1 --json
check_driver "it was not taken" 0000:03:00.0 e1000e
check_refused_by "forcing one refusal leaves the other" route vfioctl bind eth1 --force eth1:address
check_outcome "forcing both takes it" done vfioctl bind eth1 --force eth1:address --force eth1:route
check_driver "vfio-pci has it" 0000:03:00.0 vfio-pci
check "and it is given back" vfioctl restore 03:00.0
check "with its interface" wait_until 5 test -e /sys/class/net/eth1

# A device that a process has open through VFIO.
vfioctl bind 00:03.0 >/dev/null
vfioctl run 00:03.0 --backend group -- sleep 100 &
holder=$!
check "a device that a process holds is shown as in use" wait_until 10 is_open 00:03.0
check_json "by its pid and command" true ".devices[].in_use[] | select(.by == \"vfio\").detail | contains(\"$holder\") and contains(\"sleep\")" \
    vfioctl show 00:03.0 --json
check_refusal "it is not given back while it is held" 3 "$holder" vfioctl restore 00:03.0
check_refusal "nor given to another driver" 3 "$holder" vfioctl bind 00:03.0 --driver pci-stub
check_driver "vfio-pci still has it" 0000:00:03.0 vfio-pci
kill "$holder"
wait "$holder" || true
check_attribute "VFIO leaves a device disabled that nobody has open" /sys/bus/pci/devices/0000:00:03.0/enable 0

# Opened, but not yet bound to an iommufd, as it is handed to QEMU: held all the same.
vfioctl run 00:03.0 --backend iommufd -- sleep 100 &
holder=$!
check "an unbound device node is shown as in use" wait_until 10 is_open 00:03.0
check_json "by its own node" true ".devices[].in_use[].detail | contains(\"/dev/vfio/devices/\") and contains(\"$holder\")" \
    vfioctl show 00:03.0 --json
check_attribute "though VFIO has not enabled it" /sys/bus/pci/devices/0000:00:03.0/enable 0
check_refusal "and is not given back" 3 "$holder" vfioctl restore 00:03.0
kill "$holder"
wait "$holder" || true

# The device's descriptor alone, after its group's was closed: nothing names it.
vfioctl bind 02:00.0 >/dev/null
# shellcheck disable=SC2016 # expanded by the inner shell
vfioctl run 00:03.0 --backend group -- bash -c 'for fd in /proc/self/fd/*; do
    case $(readlink "$fd") in /dev/vfio/[0-9]*) eval "exec ${fd##*/}>&-" ;; esac
done; exec sleep 100' &
holder=$!
check "a device's descriptor without a name is shown as in use" wait_until 10 is_open 00:03.0
check_json "by whoever has one" true \
    ".devices[].in_use[].detail | contains(\"$holder\") and contains(\"has a VFIO device open\")" vfioctl show 00:03.0 --json
check_json "and not the device beside it, which is not open" 0 '.devices[].in_use | length' vfioctl show 02:00.0 --json
check "that one is given back" vfioctl restore 02:00.0
check_refusal "the open one is not" 3 "$holder" vfioctl restore 00:03.0
kill "$holder"
wait "$holder" || true
check "once it is closed, it is given back" vfioctl restore 00:03.0
check_driver "nobody has it, as before" 0000:00:03.0 none
[ -e $nic/net/eth1 ]
