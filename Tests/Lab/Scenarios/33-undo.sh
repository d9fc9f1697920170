# A step that fails undoes the ones before it. nvme refuses edu, because no controller answers there: a natural failure.

edu=/sys/bus/pci/devices/0000:00:03.0

check_refusal "nvme does not take edu" 4 "No such device" vfioctl bind 00:03.0 --driver nvme
check_driver "it has no driver, as before" 0000:00:03.0 none
check_attribute "and no override" $edu/driver_override "(null)"
check_missing "nothing is remembered" /run/vfioctl/origins/0000:00:03.0.json
check_missing "no change is left open" /run/vfioctl/change.json

check "edu is given to vfio-pci" vfioctl bind 00:03.0
host_state >before
cp /run/vfioctl/origins/0000:00:03.0.json remembered
check_outcome "from there nvme does not take it either, and all of it is undone" rolled_back \
    vfioctl bind 00:03.0 --driver nvme
check_json "it is told which step failed, and what the kernel answered" true \
    '.error | contains("bind of 0000:00:03.0") and contains("No such device")' cat "$last_output"
host_state >after
check_same_file "vfio-pci has it again, by its override" before after
check_same_file "and what was remembered is what it was" remembered /run/vfioctl/origins/0000:00:03.0.json

# The last of several fails: all of them go back, among them a network card that had left its driver.
check_status "a card leaves its driver before edu is refused" 4 vfioctl bind 00:03.0 03:00.0 --driver nvme
check "its interface comes back" wait_until 5 test -e /sys/class/net/eth1
host_state >after
check_same_file "both are back" before after

# A member of a group that someone has opened: no host driver may join, so the member stays with vfio-pci.
check "a whole group is given to vfio-pci" vfioctl bind 08:01.0 --group
vfioctl run 08:01.0 --backend group -- sleep 100 &
holder=$!
wait_until 10 is_open 08:01.0
host_state >before
status=0
vfioctl bind 08:03.0 --driver e1000 --force 08:03.0:vfio >output 2>errors || status=$?
check_equal "beside a member that is open, e1000 gets nothing" 4 "$status"
check_output "because the kernel says busy" busy cat errors
host_state >after
check_same_file "all three are where they were" before after
kill "$holder"
wait "$holder" || true
check "everything goes back" vfioctl restore --all
check_driver "e1000 has its card" 0000:08:03.0 e1000
