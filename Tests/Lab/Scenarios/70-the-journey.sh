# The whole journey: three virtual functions of a network card, one of them inside a guest, its interrupts on the right CPU,
# and everything given back.

igb=/sys/bus/pci/devices/0000:01:00.0

ip link set eth0 up
# An affinity that somebody chose: it has to survive, although igb takes new vectors whenever virtual functions come or go.
chosen=$(ls $igb/msi_irqs | sort -n | sed -n 2p)
echo 0 >"/proc/irq/$chosen/smp_affinity_list"
host_state >before

check "the host is ready" vfioctl check
check_outcome "three virtual functions for vfio-pci" done vfioctl sriov create eth0 3 --driver vfio-pci
check_json "the link that igb drops was warned of" true '[.warnings[] | contains("eth0")] | any' cat "$last_output"
check_json "the card's interrupts on CPU 1" "done 0" '"\(.outcome) \(.pending | length)"' vfioctl irq set eth0 --cpus 1 --json
check_equal "the kernel sends them there" 1 "$(interrupts_of 0000:01:00.0 effective_affinity_list)"
check_outcome "a second device, edu, in the same way" done vfioctl bind 00:03.0
check_output "its register, through the mapping" 0x010000ed vfioctl read 00:03.0 bar0 0x0 --width 32
check "one function, looked at" vfioctl inspect eth0:vf0

open_monitor
# shellcheck disable=SC2086 # words
vfioctl run eth0:vf0 --backend iommufd --user guest --memory 32M -- qemu-system-x86_64 $small_machine -qmp "pipe:$monitor" \
    -qmp "unix:$qmp,server=on,wait=off" \
    -object 'iommufd,id=i0,fd={iommufd}' -device 'vfio-pci,id=nic,fd={fd},iommufd=i0' >qemu.log 2>&1 &
machine=$!
guest_numbers_buses
check_output "a guest has it" "PCI device 8086:10ca" monitor_says "info pci"
check "edu is given to the same guest while it runs" vfioctl attach 00:03.0 --qmp "$qmp"
check_output "the guest has both" "PCI device 1234:11e8" monitor_says "info pci"
check_refusal "nothing is taken from under it" 3 "$machine" vfioctl restore --all
check "edu is taken back" vfioctl detach 00:03.0 --qmp "$qmp"
check "the guest ends" close_machine $machine
cat qemu.log >&2

check_outcome "everything is given back" done vfioctl restore --all
check_outcome "the virtual functions are destroyed" done vfioctl sriov destroy eth0
host_state >after
check_same_file "drivers, overrides, VF counts, autoprobe and affinities are what they were" before after
check_equal "and nothing is remembered" "" "$(ls /run/vfioctl/origins)"

for irq in "$igb"/msi_irqs/*; do echo 0-1 >"/proc/irq/${irq##*/}/smp_affinity_list"; done
ip link set eth0 down
