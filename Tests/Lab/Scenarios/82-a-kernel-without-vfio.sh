# A kernel that has no vfio-pci: every command says so, and nothing is changed.

modules=/lib/modules/$(uname -r)
host_state >before

modprobe -r vfio-pci
mv "$modules/kernel/vfio-pci.ko" hidden.ko
depmod
check_missing "vfio-pci is not there" /sys/bus/pci/drivers/vfio-pci
check_refusal "bind" 3 vfio-pci vfioctl bind 00:03.0
check_refusal "sriov create" 3 vfio-pci vfioctl sriov create eth0 2 --driver vfio-pci
check_status "check says that the host is not ready" 1 vfioctl check --json
check_json "and why, and what helps" true \
    '[.findings[] | select(.level == "failure") | (.evidence | contains("vfio-pci")) and (.cure | length > 0)] | any' \
    cat "$last_output"
check_missing "nothing is remembered" /run/vfioctl/origins/0000:00:03.0.json
host_state >after
check_same_file "nothing was changed" before after

mv hidden.ko "$modules/kernel/vfio-pci.ko"
depmod
check "with the module back, bind loads it" vfioctl bind 00:03.0
check_driver "and uses it" 0000:00:03.0 vfio-pci
vfioctl restore 00:03.0 >/dev/null
