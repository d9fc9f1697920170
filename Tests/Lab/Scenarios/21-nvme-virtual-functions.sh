# The same of an NVMe: its virtual functions lie beside it, in the same slot.

nvme=/sys/bus/pci/devices/0000:02:00.0

check_outcome "two virtual functions, named by the disk" done \
    vfioctl sriov create /dev/nvme0n1 2 --driver vfio-pci
check_attribute "two are there" $nvme/sriov_numvfs 2
check_driver "the first is bound" 0000:02:00.1 vfio-pci
check_driver "the second is bound" 0000:02:00.2 vfio-pci
check_driver "the disk keeps its driver" 0000:02:00.0 nvme
check "and can be read" dd if=/dev/nvme0n1 of=/dev/null bs=64k count=4
check_refusal "five are more than it can have" 3 4 vfioctl sriov create 02:00.0 5
check_json "four, through zero" "done 0 4" \
    '"\(.outcome) \([.plan.steps[].operations[] | select(.target | endswith("sriov_numvfs")).value] | join(" "))"' \
    vfioctl sriov create 02:00.0 4 --driver vfio-pci --json
for vf in 1 2 3 4; do check_driver "02:00.$vf is bound" 0000:02:00.$vf vfio-pci; done
check_json "VFIO opens one" "bar0 config" '[.regions[] | select(.name == "bar0" or .name == "config").name] | join(" ")' \
    vfioctl inspect 02:00.0:vf3 --json
check_outcome "they are destroyed" done vfioctl sriov destroy 02:00.0
check_attribute "none is left" $nvme/sriov_numvfs 0
check_attribute "probing is on" $nvme/sriov_drivers_autoprobe 1
