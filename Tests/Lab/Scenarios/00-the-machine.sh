# The lab's own promises, checked with nothing but sysfs: when one of these does not hold, no later scenario means anything.

devices=/sys/bus/pci/devices

check_output "the IOMMU is on and remaps interrupts" "DMAR-IR: Enabled IRQ remapping" dmesg
check_equal "22 IOMMU groups or more" yes "$([ "$(ls /sys/kernel/iommu_groups | wc -l)" -ge 22 ] && echo yes)"
check_driver "igb is 01:00.0" 0000:01:00.0 igb
check_equal "and its interface is eth0" eth0 "$(ls $devices/0000:01:00.0/net)"
check_driver "NVMe is 02:00.0" 0000:02:00.0 nvme
check_equal "its namespace is a block device" 131072 "$(cat /sys/block/nvme0n1/size)"
check_attribute "edu is alone at 00:03.0" $devices/0000:00:03.0/device 0x11e8
check_missing "edu on the root complex cannot be reset" $devices/0000:00:03.0/reset_method
check_equal "two edu functions share a group" "0000:04:00.0 0000:04:00.1 " \
    "$(ls $devices/0000:04:00.0/iommu_group/devices | tr '\n' ' ')"
check_equal "three functions and their bridge share a group" "0000:07:00.0 0000:08:01.0 0000:08:02.0 0000:08:03.0 " \
    "$(ls $devices/0000:08:01.0/iommu_group/devices | tr '\n' ' ')"
check_driver "one of the three is driven by e1000" 0000:08:03.0 e1000
check_attribute "a device lives on NUMA node 1" $devices/0000:81:00.0/numa_node 1
check_missing "nothing is at 09:00.0" $devices/0000:09:00.0

# Virtual functions, without a driver: autoprobe is off.
for device in 0000:01:00.0 0000:02:00.0; do
    total=$(cat $devices/$device/sriov_totalvfs)
    echo 0 >$devices/$device/sriov_drivers_autoprobe
    echo "$total" >$devices/$device/sriov_numvfs
    check_equal "all $total virtual functions of $device appear" "$total" "$(ls -d "$devices/$device"/virtfn* | wc -l)"
    for vf in "$devices/$device"/virtfn*; do
        check_driver "$(basename "$(readlink "$vf")") has no driver" "$(basename "$(readlink "$vf")")" none
    done
    echo 0 >$devices/$device/sriov_numvfs
    echo 1 >$devices/$device/sriov_drivers_autoprobe
done

# The rebuilt modules: a character device for each device bound, and /dev/iommu.
modprobe vfio-pci
modprobe iommufd
check "/dev/iommu is there" test -c /dev/iommu
edu=$devices/0000:00:03.0
echo vfio-pci >$edu/driver_override
echo 0000:00:03.0 >/sys/bus/pci/drivers_probe
check_driver "vfio-pci takes edu" 0000:00:03.0 vfio-pci
check "its group is there" test -c "/dev/vfio/$(basename "$(readlink $edu/iommu_group)")"
check "its character device is there" test -c "/dev/vfio/devices/$(ls $edu/vfio-dev)"

# A guest inside the guest: QEMU opens the device by either interface; QMP's greeting comes only once all devices are realised.
check_output "QEMU runs inside" "QEMU emulator version" qemu-system-x86_64 --version
ask_qemu() {
    printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"query-pci"}' '{"execute":"quit"}' |
        timeout 60 qemu-system-x86_64 -machine q35 -accel tcg -m 32 -display none -nodefaults -S -qmp stdio "$@"
}
check_output "QEMU takes it through the group" '"device": 4584' ask_qemu -device vfio-pci,host=0000:00:03.0
check_output "QEMU takes it through the character device" '"device": 4584' \
    ask_qemu -object iommufd,id=i0 -device vfio-pci,host=0000:00:03.0,iommufd=i0

echo 0000:00:03.0 >$edu/driver/unbind
echo >$edu/driver_override

check "lspci names devices" sh -c 'lspci -D | grep -F "82576 Gigabit"'
check_equal "jq reads JSON" 2 "$(echo '{"a":[1,2]}' | jq '.a[1]')"
check_equal "the unprivileged user is not root" 1000 "$(su guest -c 'id -u')"
