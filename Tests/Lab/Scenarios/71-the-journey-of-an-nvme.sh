# The same with an NVMe's virtual functions.

host_state >before
check_outcome "three virtual functions for vfio-pci" done \
    vfioctl sriov create /dev/nvme0n1 3 --driver vfio-pci
check_outcome "its admin interrupt on CPU 1" done vfioctl irq set 02:00.0 --cpus 1 --vector 0
check_json "one function, looked at through iommufd" "bar0 16384" \
    '.regions[] | select(.name == "bar0") | "\(.name) \(.size)"' vfioctl inspect 02:00.1 --backend iommufd --json
check "and through its group" vfioctl inspect 02:00.1 --backend group

open_monitor
# shellcheck disable=SC2086 # words
vfioctl run 02:00.1 --backend iommufd --user guest --memory 32M -- qemu-system-x86_64 $small_machine -qmp "pipe:$monitor" \
    -qmp "unix:$qmp,server=on,wait=off" \
    -object 'iommufd,id=i0,fd={iommufd}' -device 'vfio-pci,id=disk,fd={fd},iommufd=i0' >qemu.log 2>&1 &
machine=$!
guest_numbers_buses
check_output "a guest has it" "PCI device 1b36:0010" monitor_says "info pci"
check "a second one is given to it while it runs" vfioctl attach 02:00.2 --qmp "$qmp"
check_equal "the guest has both" 2 "$(monitor_says "info pci" | grep -c 'PCI device 1b36:0010')"
check_refusal "the disk's functions are not destroyed under it" 3 "$machine" vfioctl sriov destroy 02:00.0
check "the second is taken back" vfioctl detach 02:00.2 --qmp "$qmp"
check "the guest ends" close_machine $machine
cat qemu.log >&2

check_outcome "everything is given back" done vfioctl restore --all
check_outcome "the virtual functions are destroyed" done vfioctl sriov destroy 02:00.0
host_state >after
check_same_file "all of it is as it was" before after
check "and the disk is still there" dd if=/dev/nvme0n1 of=/dev/null bs=64k count=1
