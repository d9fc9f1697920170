# A group of several devices goes as a whole, or not at all. Behind the bridge at 07:00.0: edu, a test device, and a network
# card that e1000 drives.

check_refusal "one member alone is refused: the group would not be viable" 3 "0000:08:03.0 is bound to e1000" \
    vfioctl bind 08:01.0
check_driver "nothing was changed" 0000:08:01.0 none
check_outcome "and to a program" refused vfioctl bind 08:01.0
check_json "in the same words" true '.error | contains("0000:08:03.0 is bound to e1000")' cat "$last_output"

vfioctl bind 08:01.0 --group --dry-run --json >planned.json
check_json "with --group it takes every endpoint and leaves the bridge alone" "0000:08:01.0 0000:08:02.0 0000:08:03.0" \
    '[.plan.steps[].device | select(. != null)] | unique | join(" ")' cat planned.json
check_json "the last of them leaves its driver before the first is bound" true \
    '[.plan.steps[].action] | (rindex("unbind")) < (index("bind"))' cat planned.json
check_outcome "so it is done" done vfioctl bind 08:01.0 --group
jq .plan "$last_output" >ran
jq .plan planned.json >planned
check_same_file "by the plan that was shown" planned ran
for device in 0000:08:01.0 0000:08:02.0 0000:08:03.0; do check_driver "$device is bound" $device vfio-pci; done
check_driver "the bridge has no driver, as before" 0000:07:00.0 none
check_json "the group is viable now" true '.groups[] | select(.devices | index("0000:08:01.0")).viable' vfioctl groups --json
check "VFIO opens a member" vfioctl inspect 08:01.0

check_outcome "one member goes back alone" done vfioctl restore 08:03.0
check_driver "e1000 has it" 0000:08:03.0 e1000
check_status "now the group is not viable for the others, and VFIO is not even asked" 3 vfioctl inspect 08:01.0
check_outcome "its card is given to pci-stub instead" done vfioctl bind 08:03.0 --driver pci-stub
check_json "which does the group no harm" true '.groups[] | select(.devices | index("0000:08:01.0")).viable' \
    vfioctl groups --json
check "VFIO opens a member again" vfioctl inspect 08:01.0
check_outcome "everything goes back" done vfioctl restore --all
check_driver "e1000 has its card" 0000:08:03.0 e1000
