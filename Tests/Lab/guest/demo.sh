#!/bin/sh
# The guided journey: what README.md shows. Every command is printed as it is run, with what it answers.
set -eu
export SCENARIO_DIR=/tmp/demo
mkdir -p "$SCENARIO_DIR"
# shellcheck source=checks.sh
. /lab/checks.sh
# shellcheck source=machine-inside.sh
. /lab/machine-inside.sh

say() { printf '\n%s\n' "$@"; }
# Through a pipe, as into a file: no colours, no line that is rewritten.
try() {
    printf '\n# %s\n' "$*"
    { "$@" 2>&1 || true; } | cat
}
# What the machine inside has of ours, as its own monitor shows it.
look_inside() {
    printf '\n(qemu) info pci\n'
    monitor_says "info pci" | tr -d '\r' | grep -A 1 -E 'PCI device (8086:10ca|1234:11e8)' |
        grep -v -x -e --
}

# The interface is up, as on a machine that is in use.
ip link set eth0 up
host_state >/tmp/before

say 'Is this machine ready to give devices to guests?'
try vfioctl check
say 'Its network cards. eth0 can have seven virtual functions.'
try vfioctl list --class 02

say 'Three of them, for guests. Each is awaited by its address, bound, and looked at again.'
try vfioctl sriov create eth0 3 --driver vfio-pci
try vfioctl list --vfs

say "The card's interrupts belong on CPU 1. The kernel is asked afterwards where it sends them."
try vfioctl irq set eth0 --cpus 1
try vfioctl irq list eth0

say 'Any device can be taken. --dry-run shows the plan, and changes nothing:'
try vfioctl bind eth1 --dry-run
say 'A device is registers and interrupts, and VFIO gives them to any program:'
try vfioctl bind 00:03.0
try vfioctl read 00:03.0 bar0 0x0 --width 32

say 'Now a guest. vfioctl opens the virtual function, drops to an unprivileged user, and becomes QEMU.'
open_monitor
cat <<'COMMAND'

# vfioctl run eth0:vf0 --user guest --memory 32M -- qemu-system-x86_64 -machine q35 -m 32 … \
    -object iommufd,id=i0,fd={iommufd} -device vfio-pci,fd={fd},iommufd=i0 &
COMMAND
# shellcheck disable=SC2086 # words
vfioctl run eth0:vf0 --user guest --memory 32M -- qemu-system-x86_64 $small_machine -qmp "pipe:$monitor" \
    -qmp "unix:$qmp,server=on,wait=off" \
    -object 'iommufd,id=i0,fd={iommufd}' -device 'vfio-pci,fd={fd},iommufd=i0' >/tmp/demo/qemu.log 2>&1 &
machine=$!
guest_numbers_buses
look_inside
say 'A second device joins it while it runs:'
try vfioctl attach 00:03.0 --qmp "$qmp"
look_inside
say 'What a guest has is not taken away from under it:'
try vfioctl sriov destroy eth0
say 'It is asked for, and the guest lets go:'
try vfioctl detach 00:03.0 --qmp "$qmp"
close_machine "$machine"

say 'The guest has ended. Everything is given back.'
try vfioctl restore --all
try vfioctl sriov destroy eth0

host_state >/tmp/after
if cmp -s /tmp/before /tmp/after; then
    say 'Drivers, overrides, virtual functions and interrupts are what they were before.'
else
    say 'NOT everything is what it was before:'
    diff -U 0 /tmp/before /tmp/after | tail -n +3
    exit 1
fi
