# Interrupts on the right CPU: set, read back from the kernel, given back.

igb=/sys/bus/pci/devices/0000:01:00.0
nvme=/sys/bus/pci/devices/0000:02:00.0

vectors=$(ls $igb/msi_irqs | wc -l)
check_json "every MSI-X vector of eth0 is listed, by index" "msix $vectors" \
    '"\([.interrupts[].kind] | unique | join(" ")) \([.interrupts[].vector] | unique | length)"' vfioctl irq list eth0 --json

# --- An interface that was never up has no handlers, and the kernel has no files for its vectors --------------------------

if [ ! -e "/proc/irq/$(ls $igb/msi_irqs | head -n 1)" ]; then
    check_refusal "an interface that was never up: what to do first" 3 "up" vfioctl irq set eth0 --cpus 1
fi

# --- While it is up -----------------------------------------------------------------------------------------------------

host_state >before
ip link set eth0 up
check_json "set with the interface up: nothing is pending" "done 0" '"\(.outcome) \(.pending | length)"' \
    vfioctl irq set eth0 --cpus 1 --json
check_equal "the kernel sends every vector to CPU 1" 1 "$(interrupts_of 0000:01:00.0 effective_affinity_list)"
check_json "irq list reads the same" "1 1" \
    '"\([.interrupts[].affinity] | unique | join(" ")) \([.interrupts[].effective] | unique | join(" "))"' \
    vfioctl irq list eth0 --json
check_outcome "set again, it is so already" unchanged vfioctl irq set eth0 --cpus 1
check_outcome "one vector elsewhere" done vfioctl irq set eth0 --cpus 0 --vector 2
check_json "that one and no other" "2" '[.interrupts[] | select(.effective == "0").vector] | join(" ")' \
    vfioctl irq list eth0 --json
check_outcome "a dry run shows the write" planned vfioctl irq set eth0 --cpus 0-1 --dry-run
check_json "and makes none" "2" '[.interrupts[] | select(.affinity == "0").vector] | join(" ")' vfioctl irq list eth0 --json
check_outcome "what was allowed before is given back" done vfioctl restore --all
ip link set eth0 down
host_state >after
check_same_file "as it was" before after

# --- While it is down again ------------------------------------------------------------------------------------------------

check_outcome "set with the interface down: the kernel takes it" done vfioctl irq set eth0 --cpus 1
check_equal "CPU 1 alone is allowed" 1 "$(interrupts_of 0000:01:00.0 smp_affinity_list)"
ip link set eth0 up
check_equal "and once it is up, every vector goes there" 1 "$(interrupts_of 0000:01:00.0 effective_affinity_list)"
ip link set eth0 down
check "what was allowed before is given back" vfioctl restore eth0
host_state >after
check_same_file "as it was" before after

# --- What cannot be ------------------------------------------------------------------------------------------------------

check_refusal "a CPU that this host does not have" 3 7 vfioctl irq set eth0 --cpus 7
check_refusal "no list of CPUs" 64 abc vfioctl irq set eth0 --cpus abc
check_refusal "a list that ends before it begins" 64 1-0 vfioctl irq set eth0 --cpus 1-0
check_refusal "a vector that eth0 does not have" 3 99 vfioctl irq set eth0 --cpus 1 --vector 99
check_refusal "a device without interrupts" 3 "no interrupts" vfioctl irq set 00:03.0 --cpus 1
host_state >after
check_same_file "none of it changed anything" before after

# The kernel places NVMe's queues itself ("managed"), and lets nobody else: the first queue's vector fails, the admin queue's,
# which was set before it, goes back.
check_refusal "NVMe's queues stay where the kernel put them" 4 managed vfioctl irq set 02:00.0 --cpus 1
host_state >after
check_same_file "and the vector that was set before goes back" before after
check_outcome "its admin queue alone can be placed" done vfioctl irq set 02:00.0 --cpus 1 --vector 0
check_equal "on CPU 1" 1 "$(cat "/proc/irq/$(ls $nvme/msi_irqs | sort -n | head -n 1)/effective_affinity_list")"
check "and goes back" vfioctl restore 02:00.0
