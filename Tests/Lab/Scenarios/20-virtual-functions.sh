# Virtual functions of a network card: created, bound, counted anew and destroyed.

igb=/sys/bus/pci/devices/0000:01:00.0
operations='[.plan.steps[].operations[] | select(.target | endswith("sriov_numvfs")).value] | join(" ")'

vfioctl sriov create eth0 3 --driver vfio-pci --dry-run --json >planned.json
check_json "a dry run plans" "planned 3" "\"\\(.outcome) \\($operations)\"" cat planned.json
check_attribute "and creates nothing" $igb/sriov_numvfs 0
check_missing "and remembers nothing" /run/vfioctl/origins/0000:01:10.0.json

check_outcome "three virtual functions of eth0, for vfio-pci" done vfioctl sriov create eth0 3 --driver vfio-pci
jq .plan "$last_output" >ran
jq .plan planned.json >planned
check_same_file "the plan that ran is the one that was shown" planned ran
check_attribute "the card has three" $igb/sriov_numvfs 3
for vf in 0000:01:10.0 0000:01:10.2 0000:01:10.4; do
    check_driver "$vf is bound" $vf vfio-pci
    check_attribute "$vf is held for vfio-pci alone" /sys/bus/pci/devices/$vf/driver_override vfio-pci
done
check_attribute "new functions would be probed again, as before" $igb/sriov_drivers_autoprobe 1

check_json "asked again, it is so already" "unchanged 0" '"\(.outcome) \(.plan.steps | length)"' \
    vfioctl sriov create eth0 3 --driver vfio-pci --json
check_json "sriov list knows them" "0000:01:00.0 7 3 true 0:0000:01:10.0 1:0000:01:10.2 2:0000:01:10.4" \
    '"\(.physical_function) \(.total_vfs) \(.num_vfs) \(.drivers_autoprobe) \([.vfs[] | "\(.index):\(.address)"] | join(" "))"' \
    vfioctl sriov list eth0 --json
check_json "each with its driver, and a group of its own" "vfio-pci 3" \
    '"\([.vfs[].driver] | unique | join(" ")) \([.vfs[].iommu_group] | unique | length)"' vfioctl sriov list eth0 --json
check_json "list --vfs shows them, with their nodes" "0 1 2" \
    '[.devices[] | select(.physical_function == "0000:01:00.0" and (.vfio.cdev | startswith("/dev/vfio/devices/"))) | .vf_index] |
     join(" ")' vfioctl list --vfs --json
check_json "one is found by its index" 0000:01:10.4 '.devices[].address' vfioctl show eth0:vf2 --json

check_refused_by "the card itself cannot be taken while it has them" vf vfioctl bind 01:00.0
check_driver "igb still has it" 0000:01:00.0 igb

check_refusal "more than the card can have" 3 7 vfioctl sriov create eth0 8
check_attribute "changed nothing" $igb/sriov_numvfs 3
check_json "another count goes through zero" "done 0 5" "\"\\(.outcome) \\($operations)\"" \
    vfioctl sriov create eth0 5 --driver vfio-pci --json
check_attribute "to five" $igb/sriov_numvfs 5
check_driver "all bound" 0000:01:11.0 vfio-pci

check_outcome "they are destroyed" done vfioctl sriov destroy eth0
check_missing "the first is gone" /sys/bus/pci/devices/0000:01:10.0
check_missing "and what was remembered of it" /run/vfioctl/origins/0000:01:10.0.json
check_outcome "destroyed again, it is so already" unchanged vfioctl sriov destroy eth0

check "without --driver the host's drivers may take them" vfioctl sriov create eth0 1
check_attribute "one is there" $igb/sriov_numvfs 1
check_attribute "held for nobody" /sys/bus/pci/devices/0000:01:10.0/driver_override "(null)"
check_outcome "asked for with a driver, the one that is there is bound" done \
    vfioctl sriov create eth0 1 --driver vfio-pci
check_driver "to it" 0000:01:10.0 vfio-pci
check_outcome "zero is destroy" done vfioctl sriov create eth0 0
check_attribute "none is left" $igb/sriov_numvfs 0
check_refusal "a driver that does not exist" 3 no-such-driver vfioctl sriov create eth0 2 --driver no-such-driver
check_attribute "creates nothing" $igb/sriov_numvfs 0
check_attribute "and probing stays on" $igb/sriov_drivers_autoprobe 1
