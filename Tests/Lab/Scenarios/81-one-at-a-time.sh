# One change at a time: another vfioctl waits for nobody and says who is at work. One that dies leaves word of what it did.

igb=/sys/bus/pci/devices/0000:01:00.0
host_state >before

# Stopped while it creates virtual functions, which takes igb a second.
vfioctl sriov create eth0 2 --driver vfio-pci >first 2>&1 &
first=$!
working() { grep -q '"step" : [1-9]' /run/vfioctl/change.json 2>/dev/null; }
check "a change is under way" wait_until 20 working
kill -STOP $first
check_refusal "another one is told who makes it" 75 "$first" vfioctl bind 00:03.0
check_driver "and changed nothing" 0000:00:03.0 none
check "looking is not held up" vfioctl list
check "nor is a dry run" vfioctl bind 00:03.0 --dry-run
kill -CONT $first
wait $first
check_driver "the first one ends as if nothing had been" 0000:01:10.2 vfio-pci
check "then the next may" vfioctl bind 00:03.0
check "and everything goes back" vfioctl restore --all
check "and everything is destroyed" vfioctl sriov destroy eth0

# Asked to end in the middle, after its terminal went: it undoes what it began.
vfioctl sriov create eth0 2 --driver vfio-pci >first 2>&1 &
first=$!
wait_until 20 working
kill -HUP $first
kill -TERM $first
status=0
wait $first || status=$?
check_equal "a change that is asked to end is undone" 4 "$status"
check_output "and says so" interrupted cat first
host_state >after
check_same_file "all of it" before after

# Killed in the middle.
vfioctl sriov create eth0 2 --driver vfio-pci >first 2>&1 &
first=$!
wait_until 20 working
kill -KILL $first
wait $first || true
check_refusal "after one that died, what it left is named" 5 /run/vfioctl/change.json vfioctl bind 00:03.0
check_json "with its process and its plan" "$first true" '"\(.pid) \(.plan.steps | length > 3)"' cat /run/vfioctl/change.json
check_driver "and nothing is built on it" 0000:00:03.0 none

# The journal says how far it came; here that is settled by hand.
echo 0 >$igb/sriov_numvfs
echo 1 >$igb/sriov_drivers_autoprobe
rm /run/vfioctl/change.json
check "then changes go on" vfioctl restore --all
host_state >after
check_same_file "all of it is as it was" before after
