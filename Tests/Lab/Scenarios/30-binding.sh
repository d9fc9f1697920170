# One device from its host driver to vfio-pci and back.

nic=/sys/bus/pci/devices/0000:03:00.0
mac=$(cat /sys/class/net/eth1/address)
host_state >before

vfioctl bind eth1 --dry-run --json >planned.json
check_json "a dry run plans" planned .outcome cat planned.json
host_state >after
check_same_file "and changes nothing" before after
check_missing "and remembers nothing" /run/vfioctl/origins/0000:03:00.0.json
check_output "for people each write is one line" "vfio-pci > $nic/driver_override" vfioctl bind eth1 --dry-run

check_outcome "eth1 is taken by its name" done vfioctl bind eth1
jq .plan "$last_output" >ran
jq .plan planned.json >planned
check_same_file "the plan that ran is the one that was shown" planned ran
check_driver "vfio-pci has it" 0000:03:00.0 vfio-pci
check_attribute "it is held for vfio-pci alone" $nic/driver_override vfio-pci
check_missing "the interface is gone" /sys/class/net/eth1
check_json "list shows the driver, the override and both nodes" "vfio-pci vfio-pci true true" \
    '.devices[] | "\(.driver) \(.driver_override) \(.vfio.group | startswith("/dev/vfio/")) \(.vfio.cdev | startswith("/dev/vfio/devices/vfio"))"' \
    vfioctl show 03:00.0 --json
check_json "its driver is remembered" e1000e .values.driver cat /run/vfioctl/origins/0000:03:00.0.json
check_json "bound again, it is so already" "unchanged 0" '"\(.outcome) \(.plan.steps | length)"' vfioctl bind 03:00.0 --json

check_outcome "from vfio-pci to another driver" done vfioctl bind 03:00.0 --driver pci-stub
check_driver "pci-stub has it" 0000:03:00.0 pci-stub
check_json "what is remembered stays the first" e1000e .values.driver cat /run/vfioctl/origins/0000:03:00.0.json

check_outcome "it is given back" done vfioctl restore 03:00.0
check_driver "e1000e has it" 0000:03:00.0 e1000e
check_attribute "nobody holds it" $nic/driver_override "(null)"
check "eth1 is back" wait_until 5 test -e /sys/class/net/eth1
check_attribute "with its address" /sys/class/net/eth1/address "$mac"
check_missing "nothing is remembered any more" /run/vfioctl/origins/0000:03:00.0.json
check_outcome "given back again, it is so already" unchanged vfioctl restore 03:00.0

check_outcome "several at once, one by a glob" done vfioctl bind '04:00.*' 00:03.0
for device in 0000:04:00.0 0000:04:00.1 0000:00:03.0; do check_driver "$device is bound" $device vfio-pci; done
check_outcome "and back" done vfioctl restore --all
for device in 0000:04:00.0 0000:04:00.1 0000:00:03.0; do check_driver "$device has no driver, as before" $device none; done

# Bound by hand, as other tools do it: nothing is remembered of it.
echo vfio-pci >$nic/driver_override
echo 0000:03:00.0 >$nic/driver/unbind
echo 0000:03:00.0 >/sys/bus/pci/drivers_probe
check_driver "someone else bound it" 0000:03:00.0 vfio-pci
check "it is freed and offered to the drivers that claim it" vfioctl restore 03:00.0
check_driver "e1000e took it" 0000:03:00.0 e1000e
check_attribute "and nobody holds it" $nic/driver_override "(null)"

check_refusal "a bridge is nothing for a guest" 3 bridge vfioctl bind 07:00.0
check_refusal "a driver that does not exist" 3 no-such-driver vfioctl bind 03:00.0 --driver no-such-driver
check_driver "changes nothing" 0000:03:00.0 e1000e
check "the interface comes back" wait_until 5 test -e /sys/class/net/eth1
host_state >after
check_same_file "all of it is as it was" before after
